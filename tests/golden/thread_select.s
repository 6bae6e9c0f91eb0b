; pass: thread
; cold: .bad
; -22 and its sign, a word and its sign: the cmov always moves, but only each way by itself knows.
f:
    mov ecx, [esp + 4]
    mov eax, -22
    mov edx, -1
    test ecx, ecx
    js .join
.good:
    mov [0x1000], ecx
    mov eax, ecx
    sar ecx, 31
    mov edx, ecx
.join:
    mov ecx, eax
    sar ecx, 31
    xor ecx, edx
    mov ecx, -75
    cmove ecx, eax
    dec dword ptr [0x1000]
    je .bad
.last:
    mov eax, ecx
    ret
.bad:
    mov eax, 0
    ret

after:
new:
    mov ecx, dword ptr [esp + 4]
    mov eax, -22
    mov edx, -1
    test ecx, ecx
    js new.5
    jmp new.1
new.5:
    mov ecx, eax
    sar ecx, 31
    xor ecx, edx
    mov ecx, -75
    cmove ecx, eax
    jmp new.0
new.1:
    mov dword ptr [0x1000], ecx
    mov eax, ecx
    sar ecx, 31
    mov edx, ecx
new.6:
    mov ecx, eax
    sar ecx, 31
    xor ecx, edx
    mov ecx, -75
    cmove ecx, eax
    jmp new.0
new.2:
    mov ecx, eax
    sar ecx, 31
    xor ecx, edx
    mov ecx, -75
    cmove ecx, eax
new.0:
    dec dword ptr [0x1000]
    je new.4
new.3:
    mov eax, ecx
    ret
new.4:
    mov eax, 0
    ret
