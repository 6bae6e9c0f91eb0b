; cold: .long
; rounds: .round 8
f:
    push ebx
    push esi
    mov esi, dword ptr [esp + 12]
    xor eax, eax
    xor ebx, ebx
.round:
    cmp ebx, 64
    jae .long
    movzx ecx, byte ptr [esi + ebx]
    test ecx, ecx
    je .end
    add eax, ecx
    mov dword ptr [esp + 16], eax
    inc ebx
    jmp .round
.end:
    mov eax, dword ptr [esp + 16]
    add eax, ebx
    pop esi
    pop ebx
    ret
.long:
    mov eax, -36
    pop esi
    pop ebx
    ret

after:
new:
    lea esp, [esp - 4]
    mov eax, 0
    mov edx, dword ptr [esp + 12]
    mov ecx, dword ptr [esp + 12]
    mov dword ptr [esp], edi
    mov edi, 0
new.0:
    cmp eax, 64
    jae new.7
new.6:
    mov edx, dword ptr [esp + 8]
    movzx edx, byte ptr [edx + eax]
    test edx, edx
    je new.9
new.8:
    lea ecx, [eax + 1]
    lea eax, [edi + edx]
    mov edx, eax
    mov eax, ecx
    mov ecx, edx
    mov edi, edx
    jmp new.0
new.9:
    mov dword ptr [esp + 12], ecx
    lea edx, [eax + ecx]
    mov eax, edx
    pop edi
    ret
new.7:
    mov dword ptr [esp + 12], edx
    mov edi, dword ptr [esp]
    mov dword ptr [esp], ebx
    push esi
new.5:
    mov eax, -36
    pop esi
    pop ebx
    ret
