; pass: peephole
f:
    mov ecx, ebx
    shr ecx, 2
    mov [esp + 4], esi
    lea edx, [esi + ebp]
    mov esi, ecx
    mov edi, edx
    mov ecx, 0xbffff000
    cmp ecx, esi
    setb dl
    movzx edx, dl
    test edx, edx
    jne .end
    mov ecx, ebx
    add ecx, 28
    mov [esp + 8], ecx
    mov ecx, esi
    add ecx, edi
    adc ebx, 0
    mov ebp, ecx
    mov ecx, ebx
    shr ecx, 12
    mov ebx, [ebp + ecx*4 + 8]
    lea esp, [esp - 8]
    mov [esp + 4], edi
    mov edx, [ebx]
    add edi, edx
    mov ecx, [esp + 4]
    movzx edx, byte ptr [ebx + 13]
    lea esi, [ebx + 28]
    test dl, 4
    cmove edi, esi
    add edi, ecx
    lea esp, [esp + 8]
.end:
    mov eax, 0
    ret

after:
new:
    mov dword ptr [esp + 4], esi
    lea edi, [esi + ebp]
    mov esi, ebx
    shr esi, 2
    cmp esi, 0xbffff000
    ja new.2
new.1:
    lea ecx, [ebx + 28]
    mov dword ptr [esp + 8], ecx
    mov ebp, esi
    add ebp, edi
    adc ebx, 0
    shr ebx, 12
    mov ebx, dword ptr [ebp + ebx*4 + 8]
    lea esp, [esp - 8]
    mov dword ptr [esp + 4], edi
    add edi, dword ptr [ebx]
    lea esi, [ebx + 28]
    test byte ptr [ebx + 13], 4
    cmove edi, esi
    add edi, dword ptr [esp + 4]
    lea esp, [esp + 8]
new.2:
    xor eax, eax
    ret
