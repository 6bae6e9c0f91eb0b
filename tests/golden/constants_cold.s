; pass: constants
; cold: .cold
; In cold code a pop of what is known elsewhere becomes a move and a move of esp, so that nobody need store it.
f:
    mov eax, [esp + 4]
    push eax
    push 3
    cmp eax, 9
    ja .cold
.hot:
    pop ecx
    pop edx
    ret
.cold:
    pop ecx
    pop edx
    call g
    ret
g:
    add eax, ecx
    add eax, edx
    ret

after:
new:
    mov eax, dword ptr [esp + 4]
    push eax
    push 3
    cmp eax, 9
    ja new.2
new.1:
    pop ecx
    pop edx
    ret
new.2:
    mov ecx, 3
    lea esp, [esp + 4]
    mov edx, eax
    lea esp, [esp + 4]
    call g
new.3:
    ret
