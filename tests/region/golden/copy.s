; cold: .less
f:
    push esi
    push edi
    push ebx
    mov ebx, dword ptr [esp + 24]
    mov ecx, ebx
    mov edi, dword ptr [esp + 16]
    mov esi, dword ptr [esp + 20]
    shr ecx, 2
    rep movsd !.less
    mov ecx, ebx
    and ecx, 3
    rep movsb !.less
    sub ebx, ecx
    mov eax, ebx
    pop ebx
    pop edi
    pop esi
    ret
.less:
    lea eax, [ebx + ecx*4]
    pop ebx
    pop edi
    pop esi
    ret

after:
new:
    mov edx, edi
    mov eax, esi
    mov ecx, dword ptr [esp + 12]
    shr ecx, 2
    mov esi, dword ptr [esp + 8]
    mov edi, dword ptr [esp + 4]
    rep movsd    ; a fault continues at new.0
new.5:
    mov ecx, dword ptr [esp + 12]
    and ecx, 3
    rep movsb    ; a fault continues at new.0
new.7:
    mov esi, eax
    mov eax, dword ptr [esp + 12]
    mov edi, edx
    ret
new.0:
    push eax
    push edx
    push ebx
    mov ebx, dword ptr [esp + 24]
new.3:
    lea eax, [ebx + ecx*4]
    pop ebx
    pop edi
    pop esi
    ret
