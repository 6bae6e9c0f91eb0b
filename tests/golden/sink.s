; pass: sink
; cold: .full
; -9 is needed on the cold way only; ebx is needed on both, and the store must come before ecx changes.
f:
    lea esp, [esp - 8]
    mov ebx, 3
    mov eax, -9
    mov [esp + 4], ecx
    mov ecx, [edx]
    cmp ecx, 31
    ja .full
    mov eax, ecx
    add eax, ebx
    lea esp, [esp + 8]
    ret
.full:
    add eax, [esp + 4]
    add eax, ebx
    lea esp, [esp + 8]
    ret

after:
new:
    lea esp, [esp - 8]
    mov ebx, 3
    mov dword ptr [esp + 4], ecx
    mov ecx, dword ptr [edx]
    cmp ecx, 31
    ja new.2
new.1:
    mov eax, ecx
    add eax, ebx
    lea esp, [esp + 8]
    ret
new.2:
    mov eax, -9
    add eax, dword ptr [esp + 4]
    add eax, ebx
    lea esp, [esp + 8]
    ret
