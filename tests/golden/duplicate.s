; pass: duplicate
; cold: .cold
; The cold call comes back into a copy, so that the hot path keeps what it knows of eax.
f:
    push ebx
    mov eax, [esp + 8]
    test eax, eax
    je .cold
    mov ebx, [eax]
.join:
    mov eax, ebx
    pop ebx
    ret
.cold:
    push eax
    call g
    add esp, 4
    mov ebx, eax
    jmp .join
g:
    mov eax, 1
    ret

after:
new:
    push ebx
    mov eax, dword ptr [esp + 8]
    test eax, eax
    je new.3
new.1:
    mov ebx, dword ptr [eax]
new.2:
    mov eax, ebx
    pop ebx
    ret
new.3:
    push eax
    call g
    jmp new.7
new.4:
    add esp, 4
    mov ebx, eax
    jmp new.2
new.0:
    push ebx
    mov eax, dword ptr [esp + 8]
    test eax, eax
    je new.3
new.5:
    mov ebx, dword ptr [eax]
new.6:
    mov eax, ebx
    pop ebx
    ret
new.7:
    add esp, 4
    mov ebx, eax
    jmp new.6
