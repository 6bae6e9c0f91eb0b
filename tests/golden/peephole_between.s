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
.end:
    mov eax, 0
    ret

after:
new:
    mov dword ptr [esp + 4], esi
    lea edx, [esi + ebp]
    mov esi, ebx
    shr esi, 2
    mov edi, edx
    cmp esi, 0xbffff000
    ja new.2
new.1:
    lea ecx, [ebx + 28]
    mov dword ptr [esp + 8], ecx
    mov ecx, esi
    add ecx, edi
    adc ebx, 0
    mov ebp, ecx
    shr ebx, 12
    mov ebx, dword ptr [ebp + ebx*4 + 8]
new.2:
    xor eax, eax
    ret
