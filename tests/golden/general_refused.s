; pass: general
; call: 1 = g
; The guard stays behind what reads the flags, and behind a store to memory that it may read.
f:
    mov eax, [esp + 4]
    mov edx, [eax + 4]
    cmp eax, 3
    mov ecx, 5
    mov [edx], ecx
    push ecx
    sete cl
    call [edx]
    add esp, 4
    ret
g:
    mov eax, [esp + 4]
    ret

after:
new:
    mov eax, dword ptr [esp + 4]
    mov edx, dword ptr [eax + 4]
    cmp eax, 3
    mov ecx, 5
    mov dword ptr [edx], ecx
    push ecx
    sete cl
    cmp dword ptr [edx], g
    jne new.4
new.3:
    lea esp, [esp - 4]
    jmp new.2
new.4:
    call dword ptr [edx]
    jmp new.0
new.1:
    add esp, 4
    ret
new.2:
    mov eax, dword ptr [esp + 4]
    lea esp, [esp + 4]
    jmp new.1
new.0:
    add esp, 4
    ret
