; pass: arguments
; known: 1=0 2=0x1000
; Both are replaced everywhere, and the branch is decided; what only the other way read need not be looked at.
sys_call:
    push ebx
    mov eax, [esp + 12]
    test eax, eax
    jne .other
    mov ebx, [esp + 16]
    add eax, ebx
    pop ebx
    ret
.other:
    lea eax, [esp + 12]
    mov [{data}], eax
    pop ebx
    ret

after:
new:
    push ebx
new.1:
    mov eax, 0x1000
    pop ebx
    ret
