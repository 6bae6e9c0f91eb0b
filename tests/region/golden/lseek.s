; known: ebx is current
; cold: .bad .exit .zero
f:
    push ebx
    push esi
    sub esp, 8
    mov eax, dword ptr [esp + 20]
    cmp eax, 31
    ja .bad
    mov edx, esp
    and edx, -8192
    mov esi, dword ptr [edx + eax*4 + 56]
    test esi, esi
    je .bad
    inc dword ptr [esi + 8]
    mov dword ptr [esp + 4], 0
    mov ecx, dword ptr [esi + 4]
    mov edx, dword ptr [ecx]
    mov eax, {g}
    test edx, edx
    cmovne eax, edx
    cmp eax, {g}
    jne .exit
    cmp dword ptr [esi + 20], 0
    jne .zero
    mov eax, dword ptr [esp + 4]
    dec dword ptr [esi + 8]
    je .exit
.out:
    add esp, 8
    pop esi
    pop ebx
    ret
.zero:
    mov dword ptr [esi + 20], 0
.exit:
    push esi
    push dword ptr [esp + 8]
    call eax
    add esp, 8
    jmp .out
.bad:
    mov eax, -9
    jmp .out
g:
    ret

after:
new:
    mov edx, dword ptr [esp + 4]
    cmp edx, 31
    ja new.12
new.0:
    mov edx, dword ptr [ebx + edx*4 + 56]
    test edx, edx
    je new.12
new.11:
    inc dword ptr [edx + 8]
    mov ecx, dword ptr [edx + 4]
    mov ecx, dword ptr [ecx]
    cmp ecx, g
    je new.13
new.15:
    test ecx, ecx
    jne new.14
new.13:
    cmp dword ptr [edx + 20], 0
    jne new.17
new.16:
    dec dword ptr [edx + 8]
    je new.19
new.18:
    mov eax, 0
    ret
new.19:
    push ebx
    push esi
    push 0
    push eax
    mov eax, 0
    mov esi, edx
new.7:
    push esi
    push dword ptr [esp + 8]
    call eax
new.8:
    add esp, 8
    jmp new.5
new.17:
    push ebx
    push esi
    push 0
    push eax
    mov eax, g
    mov esi, edx
new.6:
    mov dword ptr [esi + 20], 0
    jmp new.7
new.14:
    push ebx
    push esi
    push 0
    push eax
    mov eax, g
    test ecx, ecx
    cmovne eax, ecx
    mov esi, edx
    jmp new.7
new.12:
    push ebx
    push esi
    push eax
    push eax
new.9:
    mov eax, -9
    jmp new.5
new.5:
    add esp, 8
    pop esi
    pop ebx
    ret
