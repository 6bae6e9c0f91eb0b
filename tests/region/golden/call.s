; cold: .none
f:
    push ebx
    push esi
    mov ebx, dword ptr [esp + 12]
    mov esi, dword ptr [ebx + 4]
    push esi
    push 5
    call g
    add esp, 8
    test eax, eax
    je .none
    add esi, dword ptr [ebx + 8]
    mov dword ptr [eax], esi
    mov eax, ebx
    pop esi
    pop ebx
    ret
.none:
    mov eax, esi
    pop esi
    pop ebx
    ret
g:
    mov eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 8]
    xor ecx, ecx
    ret

after:
new:
    lea esp, [esp - 16]
    mov dword ptr [esp], 5
    mov eax, dword ptr [esp + 20]
    mov edx, dword ptr [eax + 4]
    mov dword ptr [esp + 4], edx
    call g
new.0:
    test eax, eax
    je new.5
new.4:
    mov ecx, dword ptr [esp + 20]
    add edx, dword ptr [ecx + 8]
    mov dword ptr [eax], edx
    mov eax, ecx
    lea esp, [esp + 16]
    ret
new.5:
    mov dword ptr [esp + 8], esi
    mov dword ptr [esp + 12], ebx
    mov esi, edx
    lea esp, [esp + 8]
new.3:
    mov eax, esi
    pop esi
    pop ebx
    ret
