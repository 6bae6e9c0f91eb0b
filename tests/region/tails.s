sys_call:
    push ebx
    push esi
    mov ebx, dword ptr [esp + 12]
    mov esi, dword ptr [esp + 16]
    push 7
    push esi
    push ebx
    call mid
    lea esp, [esp + 12]
    add eax, ebx
    add eax, esi
    pop esi
    pop ebx
    ret
mid:
    push edi
    lea esp, [esp - 12]
    mov edi, dword ptr [esp + 20]
    mov ecx, dword ptr [{data + 40}]
    mov dword ptr [esp + 8], ecx
    mov dword ptr [esp + 4], ecx
    mov dword ptr [esp], 3
    test dword ptr [esp + 24], 8
    jne .slow
    push edi
    push 0x1234
    call leaf
    lea esp, [esp + 8]
    mov dword ptr [esp], eax
    xor edi, 6
    push edi
    push 0x1234
    call leaf
    lea esp, [esp + 8]
.back:
    add eax, dword ptr [esp]
    sub eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 4]
    xor eax, dword ptr [esp + 8]
    xor eax, dword ptr [esp + 28]
    lea esp, [esp + 12]
    pop edi
    ret
.slow:
    mov eax, edi
    jmp .back
leaf:
    push ebx
    mov ebx, dword ptr [esp + 12]
    mov eax, dword ptr [esp + 8]
    test bl, 1
    jne .slow1
    add ebx, ebx
    test bl, 4
    jne .slow2
    lea esp, [esp - 60]
    mov dword ptr [{data + 36}], ebx
    lea esp, [esp + 60]
    test bl, 8
    jne .slow3
.out:
    add eax, ebx
    pop ebx
    ret
.slow1:
    add eax, 11
    jmp .out
.slow2:
    sub eax, 4
    jmp .out
.slow3:
    xor eax, 0x55
    jmp .out

after:
sys_call$0:
    mov eax, dword ptr [esp + 8]
    mov edx, dword ptr [data + 40]
    test al, 8
    jne sys_call$0.24
sys_call$0.0:
    mov ebx, dword ptr [esp + 4]
    test bl, 1
    jne sys_call$0.26
sys_call$0.25:
    lea ecx, [ebx + ebx]
    test cl, 4
    jne sys_call$0.28
sys_call$0.27:
    mov dword ptr [data + 36], ecx
    test cl, 8
    jne sys_call$0.30
sys_call$0.29:
    xor ebx, 6
    test bl, 1
    jne sys_call$0.32
sys_call$0.31:
    lea esi, [ebx + ebx]
    test esi, 4
    jne sys_call$0.34
sys_call$0.33:
    mov dword ptr [data + 36], esi
    test esi, 8
    jne sys_call$0.36
sys_call$0.35:
    mov ebx, dword ptr [esp + 4]
    lea edi, [ecx + esi + 0x2468]
    mov ecx, edx
    xor ecx, edi
    mov edx, ecx
    xor edx, 7
    lea ecx, [ebx + edx]
    lea edx, [eax + ecx]
    mov eax, edx
    ret
sys_call$0.36:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov ebx, esi
    mov esi, dword ptr [esp + 80]
    call sys_call$0.37
    jmp leaf.slow3
sys_call$0.34:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov ebx, esi
    mov esi, dword ptr [esp + 80]
    call sys_call$0.37
    jmp leaf.slow2
sys_call$0.32:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov esi, dword ptr [esp + 80]
    call sys_call$0.37
    jmp leaf.slow1
sys_call$0.30:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov ebx, ecx
    mov esi, dword ptr [esp + 80]
    mov edi, dword ptr [esp + 76]
    call sys_call$0.43
    jmp leaf.slow3
sys_call$0.28:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov ebx, ecx
    mov esi, dword ptr [esp + 80]
    mov edi, dword ptr [esp + 76]
    call sys_call$0.43
    jmp leaf.slow2
sys_call$0.26:
    lea esp, [esp - 44]
    push edx
    lea esp, [esp - 24]
    mov eax, 0x1234
    mov esi, dword ptr [esp + 80]
    mov edi, ebx
    call sys_call$0.43
    jmp leaf.slow1
sys_call$0.24:
    lea esp, [esp - 44]
    push edx
    push eax
    push 3
    mov ebx, dword ptr [esp + 60]
    mov esi, eax
    mov edi, ebx
    call sys_call$0.45
    jmp mid.slow
sys_call$0.37:
    pushal
    lea ebp, [esp + 120]
sys_call$0.38:
    mov eax, dword ptr [ebp - 8]
    lea eax, [eax + eax + 0x1234]
    mov dword ptr [ebp - 68], eax
    mov dword ptr [ebp - 80], mid.after3
    mov eax, dword ptr [ebp - 8]
    mov dword ptr [ebp - 84], eax
sys_call$0.39:
    mov dword ptr [ebp - 28], sys_call$0$call.1
    push 7
    pop dword ptr [ebp - 40]
    mov dword ptr [ebp - 52], sys_call.after1
    mov eax, dword ptr [ebp - 60]
    mov dword ptr [ebp - 64], eax
    popal
    ret
sys_call$0.43:
    pushal
    lea ebp, [esp + 120]
sys_call$0.44:
    mov dword ptr [ebp - 80], mid.after2
    mov eax, dword ptr [ebp - 8]
    mov dword ptr [ebp - 84], eax
    jmp sys_call$0.39
sys_call$0.45:
    pushal
    lea ebp, [esp + 104]
    jmp sys_call$0.39
