; pass: inline
; call: 1 = get_user
; A helper that takes its argument in a register, may fault, and shares its fixup with others: a function of its own.
sys_peek:
    mov eax, [esp + 4]
    call get_user
    test eax, eax
    jne .bad
    mov eax, edx
.bad:
    ret
get_user:
    cmp eax, 0x10000000
    jae bad_get_user
    movzx edx, byte ptr [eax] !bad_get_user
    xor eax, eax
    ret
bad_get_user:
    xor edx, edx
    mov eax, -14
    ret

after:
; refused: the callee is not among the hot functions: bad_get_user
new:
    mov eax, dword ptr [esp + 4]
    lea esp, [esp - 4]
    jmp new.4
new.1:
    test eax, eax
    jne new.3
new.2:
    mov eax, edx
new.3:
    ret
new.4:
    cmp eax, 0x10000000
    jae new.7
    jmp new.5
new.7:
    lea esp, [esp + 4]
    call bad_get_user
    jmp new.1
new.5:
    movzx edx, byte ptr [eax]    ; a fault continues at new.8
    jmp new.6
new.8:
    lea esp, [esp + 4]
    call bad_get_user
    jmp new.1
new.6:
    xor eax, eax
    lea esp, [esp + 4]
    jmp new.1
