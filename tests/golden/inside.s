; pass: inline
; call: 1 = copy
; tested: 1: 1=8
; A test in front of a call: what it is true of is inlined, all else is called as before.
sys_read:
    mov eax, [esp + 8]
    push dword ptr [esp + 12]
    push eax
    call copy
    add esp, 8
    ret
copy:
    push edi
    mov edi, [esp + 8]
    mov edx, [esp + 12]
    mov ecx, edx
    shr ecx, 2
    rep stosd
    mov ecx, edx
    and ecx, 3
    rep stosb
    pop edi
    ret

after:
; refused: another value of an argument is more frequent: copy
new:
    mov eax, dword ptr [esp + 8]
    push dword ptr [esp + 12]
    push eax
    cmp dword ptr [esp + 4], 8
    jne new.4
new.3:
    lea esp, [esp - 4]
    jmp new.2
new.4:
    call copy
new.1:
    add esp, 8
    ret
new.2:
    push edi
    mov edi, dword ptr [esp + 8]
    mov edx, dword ptr [esp + 12]
    mov ecx, edx
    shr ecx, 2
    rep stosd
    mov ecx, edx
    and ecx, 3
    rep stosb
    pop edi
    lea esp, [esp + 4]
    jmp new.1
