; pass: peephole
f:
    mov ecx, [ebx]        ; a store may change what is loaded, and needs what the sum changes
    mov [esi], eax
    add eax, ecx
    mov ecx, ebx          ; ebx is changed before the copy is used
    inc ebx
    add eax, ecx
    mov ecx, ebx          ; what the shift left in ecx is used before it is copied
    shr ecx, 2
    mov [esp + 4], ecx
    mov edi, ecx
    mov ecx, ebx          ; the sum's carry is used
    add ecx, 4
    adc ebp, 0
    add eax, ecx
    mov ecx, [esi + 4]    ; ecx is read before it is copied
    mov [esp + 4], ecx
    mov ebx, ecx
    inc dword ptr [esi]
    mov ecx, ebx          ; both are used again
    lea edx, [ecx + 4]
    add eax, ecx
    add eax, edx
    inc eax               ; the test clears the carry
    test eax, eax
    jbe .end
    cmp edi, ebx          ; the flags must live
    mov eax, 0
    je .end
    setb dl               ; edx is used again
    movzx edx, dl
    test edx, edx
    jne .next
.next:
    mov eax, edx
.end:
    ret

after:
new:
    mov ecx, dword ptr [ebx]
    mov dword ptr [esi], eax
    add eax, ecx
    mov ecx, ebx
    inc ebx
    add eax, ecx
    mov ecx, ebx
    shr ecx, 2
    mov dword ptr [esp + 4], ecx
    mov edi, ecx
    mov ecx, ebx
    add ecx, 4
    adc ebp, 0
    add eax, ecx
    mov ecx, dword ptr [esi + 4]
    mov dword ptr [esp + 4], ecx
    inc dword ptr [esi]
    mov ebx, ecx
    lea edx, [ecx + 4]
    add eax, ecx
    add eax, edx
    inc eax
    test eax, eax
    jbe new.4
new.1:
    cmp edi, ebx
    mov eax, 0
    je new.4
new.2:
    setb dl
    movzx edx, dl
    test edx, edx
    jne new.3
new.3:
    mov eax, edx
new.4:
    ret
