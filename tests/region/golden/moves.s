; Block moves of a known, small count: words of the frame are values; a fault at the second word finds the first one done.
sys_call:
    push esi
    push edi
    sub esp, 8
    mov eax, [{data}]
    mov [esp], eax
    inc eax
    mov [esp + 4], eax
    mov esi, esp
    mov edi, [esp + 20]
    mov ecx, 2
    rep movsd !.fixup
    add esp, 8
    mov eax, 0
    pop edi
    pop esi
    ret
.fixup:
    add esp, 8
    mov eax, ecx
    pop edi
    pop esi
    ret

after:
new:
    mov edx, dword ptr [data]
    mov eax, dword ptr [esp + 4]
    mov dword ptr [eax], edx    ; a fault continues at new.0
new.4:
    lea edx, [edx + 1]
    mov dword ptr [eax + 4], edx    ; a fault continues at new.5
new.6:
    mov eax, 0
    ret
new.0:
    push esi
    push edi
    push eax
    push eax
    mov ecx, 2
new.2:
    add esp, 8
    mov eax, ecx
    pop edi
    pop esi
    ret
new.5:
    push esi
    push edi
    push eax
    push eax
    mov ecx, 1
    jmp new.2
