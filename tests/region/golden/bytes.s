; cold: .away .gone
; rounds: .round 8
f:
    push ebx
    push esi
    lea esp, [esp - 4]
    mov esi, dword ptr [esp + 16]
    mov byte ptr [esp + 2], 7
    mov edx, dword ptr [esp + 20]
.round:
    mov ecx, dword ptr [esi]
    test ecx, ecx
    sete bl
    cmp ecx, edx
    setb al
    mov byte ptr [esp + 3], bl
    or al, bl
    jne .away
    cmp byte ptr [esp + 3], 0
    jne .gone
    add esi, 4
    cmp ecx, 100
    jb .round
    movzx eax, byte ptr [esp + 2]
    add eax, esi
    lea esp, [esp + 4]
    pop esi
    pop ebx
    ret
.away:
    movzx eax, byte ptr [esp + 3]
    add al, byte ptr [esp + 2]
    lea esp, [esp + 4]
    pop esi
    pop ebx
    ret
.gone:
    mov eax, -1
    lea esp, [esp + 4]
    pop esi
    pop ebx
    ret

after:
new:
    mov eax, dword ptr [esp + 4]
new.0:
    mov edx, dword ptr [eax]
    test edx, edx
    je new.8
new.7:
    cmp edx, dword ptr [esp + 8]
    jb new.10
new.9:
    cmp edx, 100
    jb new.12
new.11:
    lea edx, [eax + 11]
    mov eax, edx
    ret
new.12:
    lea edx, [eax + 4]
    mov eax, edx
    jmp new.0
new.10:
    push ebx
    push esi
    test edx, edx
    sete al
    movzx eax, al
    shl eax, 24
    or eax, 0x70000
    push eax
new.5:
    movzx eax, byte ptr [esp + 3]
    add al, byte ptr [esp + 2]
    lea esp, [esp + 4]
    pop esi
    pop ebx
    ret
new.8:
    push ebx
    push esi
    sete al
    movzx eax, al
    shl eax, 24
    or eax, 0x70000
    push eax
    jmp new.5
