; cold: .less
f:
    push ebx
    sub esp, 16
    mov eax, dword ptr [esp + 24]
    mov ecx, dword ptr [eax + 4]
    mov edx, dword ptr [eax + 8]
    mov ebx, dword ptr [eax + 12]
    add ecx, ebx
    adc edx, 0
    cmp ecx, dword ptr [eax + 16]
    mov ebx, edx
    sbb ebx, dword ptr [eax + 20]
    jl .less
    mov dword ptr [eax + 4], ecx
    mov dword ptr [eax + 8], edx
    xor eax, eax
    add esp, 16
    pop ebx
    ret
.less:
    lea eax, [ecx + edx]
    add esp, 16
    pop ebx
    ret

after:
new:
    mov eax, dword ptr [esp + 4]
    mov ecx, dword ptr [eax + 4]
    mov edx, dword ptr [eax + 8]
    mov eax, dword ptr [eax + 12]
    lea esp, [esp - 12]
    mov dword ptr [esp + 8], edi
    mov edi, dword ptr [esp + 16]
    mov edi, dword ptr [edi + 16]
    mov dword ptr [esp + 4], esi
    mov esi, edx
    mov dword ptr [esp], ebp
    mov ebp, ecx
    add ebp, eax
    adc esi, 0
    mov edx, esi
    mov ecx, dword ptr [esp + 16]
    mov eax, dword ptr [ecx + 20]
    cmp ebp, edi
    sbb edx, eax
    jl new.3
new.0:
    mov dword ptr [ecx + 4], ebp
    mov dword ptr [ecx + 8], esi
    mov eax, 0
    pop ebp
    pop esi
    pop edi
    ret
new.3:
    mov edi, dword ptr [esp + 8]
    mov dword ptr [esp + 8], ebx
    push eax
    push eax
    mov ecx, ebp
    mov edx, esi
    mov ebp, dword ptr [esp + 8]
    mov esi, dword ptr [esp + 12]
new.2:
    lea eax, [ecx + edx]
    add esp, 16
    pop ebx
    ret
