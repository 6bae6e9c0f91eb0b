; pass: flatten
; call: 1 = g
; cold: .cold
f:
    cmp dword ptr [esp + 4], 0
    je .none
    push ebx
    mov ebx, [esp + 8]
    push 1
    push ebx
    call g
    add esp, 8
    test eax, eax
    je .cold
    pop ebx
    ret
.none:
    xor eax, eax
    ret
.cold:
    push 2
    call h
    add esp, 4
    pop ebx
    ret
g:
    push esi
    mov esi, [esp + 8]
    mov eax, [esi]
    add eax, [esp + 12]
    pop esi
    ret
h:
    ret

after:
new:
    cmp dword ptr [esp + 4], 0
    je new.4
new.0:
    lea esp, [esp - 20]
new.1:
    mov dword ptr [esp + 16], ebx
    mov ebx, dword ptr [esp + 24]
    mov dword ptr [esp + 12], 1
    mov dword ptr [esp + 8], ebx
    jmp new.7
new.2:
    test eax, eax
    je new.8
    jmp new.3
new.8:
    lea esp, [esp + 16]
    jmp new.5
new.3:
    mov ebx, dword ptr [esp + 16]
    lea esp, [esp + 20]
    ret
new.4:
    xor eax, eax
    ret
new.5:
    push 2
    call h
new.9:
    lea esp, [esp - 12]
new.6:
    mov ebx, dword ptr [esp + 16]
    lea esp, [esp + 20]
    ret
new.7:
    mov dword ptr [esp], esi
    mov esi, dword ptr [esp + 8]
    mov eax, dword ptr [esi]
    add eax, dword ptr [esp + 12]
    mov esi, dword ptr [esp]
    jmp new.2
