; pass: inline
; call: 1 = llseek, pipe_seek, huge
; Three targets of one call, most frequent first: the last has too much code for how seldom it is called.
sys_lseek:
    push esi
    mov eax, [esp + 8]
    push eax
    call dword ptr [eax + 4]
    add esp, 4
    pop esi
    ret
llseek:
    push ebx
    mov ebx, [esp + 8]
    mov eax, [ebx]
    pop ebx
    ret
pipe_seek:
    push ebx
    mov eax, -29
    pop ebx
    ret
huge:
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    inc dword ptr [{data}]
    ret

after:
; refused: too much code for how often it is called: huge: 31 instructions for 40 calls, pipe_seek has 4 for 60
new:
    push esi
    mov eax, dword ptr [esp + 8]
    push eax
    cmp dword ptr [eax + 4], llseek
    jne new.4
new.3:
    lea esp, [esp - 4]
    jmp new.2
new.4:
    cmp dword ptr [eax + 4], pipe_seek
    jne new.7
new.6:
    lea esp, [esp - 4]
    jmp new.5
new.7:
    call dword ptr [eax + 4]
new.1:
    add esp, 4
    pop esi
    ret
new.2:
    push ebx
    mov ebx, dword ptr [esp + 8]
    mov eax, dword ptr [ebx]
    pop ebx
    lea esp, [esp + 4]
    jmp new.1
new.5:
    push ebx
    mov eax, -29
    pop ebx
    lea esp, [esp + 4]
    jmp new.1
