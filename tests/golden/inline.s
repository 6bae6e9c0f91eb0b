; pass: inline
; call: 1 = fget, 2 = llseek
; A direct call, and an indirect one behind a guard; the callees have two returns and a tail call.
sys_lseek:
    push esi
    push dword ptr [esp + 8]
    call fget
    add esp, 4
    test eax, eax
    je .bad
    mov esi, eax
    push esi
    call dword ptr [eax + 4]
    add esp, 4
    pop esi
    ret
.bad:
    mov eax, -9
    pop esi
    ret
fget:
    mov ecx, [esp + 4]
    xor eax, eax
    cmp ecx, 31
    ja .none
    mov eax, dword ptr [{data} + ecx*4]
    ret
.none:
    ret
llseek:
    mov eax, [esp + 4]
    cmp dword ptr [eax], 0
    je slow
    mov eax, [eax]
    ret
slow:
    mov eax, -22
    ret

after:
; refused: the callee is not among the hot functions: slow
new:
    push esi
    push dword ptr [esp + 8]
    lea esp, [esp - 4]
    jmp new.5
new.1:
    add esp, 4
    test eax, eax
    je new.4
new.2:
    mov esi, eax
    push esi
    cmp dword ptr [eax + 4], llseek
    jne new.12
new.11:
    lea esp, [esp - 4]
    jmp new.8
new.12:
    call dword ptr [eax + 4]
new.3:
    add esp, 4
    pop esi
    ret
new.4:
    mov eax, -9
    pop esi
    ret
new.5:
    mov ecx, dword ptr [esp + 4]
    xor eax, eax
    cmp ecx, 31
    ja new.7
new.6:
    mov eax, dword ptr [ecx*4 + data]
    lea esp, [esp + 4]
    jmp new.1
new.7:
    lea esp, [esp + 4]
    jmp new.1
new.8:
    mov eax, dword ptr [esp + 4]
    cmp dword ptr [eax], 0
    je new.10
    jmp new.9
new.10:
    lea esp, [esp + 4]
    call slow
    jmp new.3
new.9:
    mov eax, dword ptr [eax]
    lea esp, [esp + 4]
    jmp new.3
