; pass: constants
; Nothing is known after a join of different values, behind an address that escaped, or of what a callee may write.
f:
    push ebx
    sub esp, 8
    mov dword ptr [esp], 1
    mov dword ptr [esp + 4], 1
    cmp dword ptr [esp + 16], 0
    je .join
    mov dword ptr [esp], 2
.join:
    mov eax, [esp]
    lea ecx, [esp + 4]
    push ecx
    call g
    add esp, 4
    add eax, [esp + 4]
    push 3
    call h
    add eax, [esp]
    add esp, 4
    inc dword ptr [{data}]
    jb .join
    add esp, 8
    pop ebx
    ret
g:
    mov eax, [esp + 4]
    mov dword ptr [eax], 7
    ret
h:
    inc dword ptr [esp + 4]
    ret

after:
new:
    push ebx
    sub esp, 8
    mov dword ptr [esp], 1
    mov dword ptr [esp + 4], 1
    cmp dword ptr [esp + 16], 0
    je new.2
new.1:
    mov dword ptr [esp], 2
new.2:
    mov eax, dword ptr [esp]
    lea ecx, [esp + 4]
    push ecx
    call g
new.3:
    add esp, 4
    add eax, dword ptr [esp + 4]
    push 3
    call h
new.4:
    add eax, dword ptr [esp]
    add esp, 4
    inc dword ptr [data]
    jb new.2
new.5:
    add esp, 8
    lea esp, [esp + 4]
    ret
