; pass: deadcode
; Dead definitions, pushes and stores go; a load through a pointer, a user access, and a store to an argument stay.
f:
    push ebx
    push esi
    sub esp, 8
    mov dword ptr [esp], 1
    mov dword ptr [esp + 4], 2
    mov ecx, [{data}]
    mov edx, [eax]
    mov ecx, [eax + 4] !.fix
.fix:
    mov dword ptr [esp + 20], 4
    mov eax, [esp + 4]
    xor edx, edx
    add esp, 8
    pop esi
    pop ebx
    ret

after:
new:
    push ebx
    push esi
    sub esp, 8
    mov dword ptr [esp + 4], 2
    mov edx, dword ptr [eax]
    mov ecx, dword ptr [eax + 4]    ; a fault continues at new.1
new.1:
    mov dword ptr [esp + 20], 4
    mov eax, dword ptr [esp + 4]
    add esp, 8
    pop esi
    pop ebx
    ret
