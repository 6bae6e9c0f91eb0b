; pass: general
; call: 1 = g
; The guard stands before the pushes, but not before what changes its address; the failing edge never comes back.
f:
    push ebx
    mov eax, [esp + 8]
    mov ebx, 0
    mov edx, [eax + 4]
    push ebx
    push eax
    mov ecx, 7
    call [edx]
    add esp, 8
    add eax, ebx
    pop ebx
    ret
g:
    mov eax, [esp + 4]
    ret

after:
new:
    push ebx
    mov eax, dword ptr [esp + 8]
    mov ebx, 0
    mov edx, dword ptr [eax + 4]
    cmp dword ptr [edx], g
    jne new.4
new.3:
    push ebx
    push eax
    mov ecx, 7
    lea esp, [esp - 4]
    jmp new.2
new.4:
    push ebx
    push eax
    mov ecx, 7
    call dword ptr [edx]
    jmp new.0
new.1:
    add esp, 8
    add eax, ebx
    pop ebx
    ret
new.2:
    mov eax, dword ptr [esp + 4]
    lea esp, [esp + 4]
    jmp new.1
new.0:
    add esp, 8
    add eax, ebx
    pop ebx
    ret
