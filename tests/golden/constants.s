; pass: constants
; Constants and copies flow through registers, slots and branches.
f:
    push ebx
    sub esp, 8
    mov dword ptr [esp], 5
    mov eax, [esp + 16]
    mov [esp + 4], eax
    mov ecx, [esp]
    lea ecx, [ecx + ecx*2]
    cmp ecx, 15
    jne .never
    push [esp + 4]
    call g
    add esp, 4
    mov ecx, [esp + 4]
    xor eax, ecx
    cmp dword ptr [esp], 4
    setg dl
    cmovg eax, ecx
    mov dword ptr [esp], 5
    mov ebx, {offset_of}
    call ebx
.never:
    add esp, 8
    pop ebx
    ret
g:
    mov eax, [esp + 4]
    ret
offset_of:
    ret

after:
new:
    push ebx
    sub esp, 8
    mov dword ptr [esp], 5
    mov eax, dword ptr [esp + 16]
    mov dword ptr [esp + 4], eax
    mov ecx, 5
    mov ecx, 15
    cmp ecx, 15
new.1:
    push eax
    call g
new.2:
    add esp, 4
    mov ecx, dword ptr [esp + 4]
    xor eax, ecx
    cmp dword ptr [esp], 4
    mov dl, 1
    mov eax, ecx
    mov ebx, offset_of
    call offset_of
new.3:
    add esp, 8
    pop ebx
    ret
