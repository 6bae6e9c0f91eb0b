; lseek(fd, 0, SEEK_SET) from the gate to the iret, written by hand: what the C sources do to memory, in their order, and
; nothing else.  Whatever is not the rule goes the old way, under the call's own number.
by_hand:
    mov eax, -8192
    and eax, esp
    test byte ptr ss:[eax + 16], 2
    jne .old
    cmp ebx, NR_OPEN - 1
    ja .old
    mov eax, dword ptr ss:[eax + ebx*4 + TASK_FILES]
    test eax, eax
    je .old
    inc dword ptr ss:[eax + F_COUNT]
    push ecx
    mov ecx, dword ptr ss:[eax + F_OP]
    cmp dword ptr ss:[ecx], {generic_file_llseek}
    jne .undo
    mov ecx, dword ptr ss:[eax + F_INODE]
    mov ecx, dword ptr ss:[ecx + I_SB]
    cmp dword ptr ss:[ecx + S_MAXBYTES + 4], 0
    jl .undo
    mov ecx, dword ptr ss:[eax + F_POS]
    or ecx, dword ptr ss:[eax + F_POS + 4]
    je .same
    mov dword ptr ss:[eax + F_POS], 0
    mov dword ptr ss:[eax + F_POS + 4], 0
.same:
    pop ecx
    dec dword ptr ss:[eax + F_COUNT]
    je .last
    cli
    mov eax, -8192
    and eax, esp
    cmp dword ptr ss:[eax], 0
    jne .work
    cmp dword ptr ss:[eax + 4], 0
    jne .work
    xor eax, eax
    iretd
.undo:
    pop ecx
    dec dword ptr ss:[eax + F_COUNT]
    jmp .old
.last:
    inc dword ptr ss:[eax + F_COUNT]
.old:
    mov eax, NUMBER
    jmp OLD
.work:
    push NUMBER
    cld
    push es
    push ds
    push 0
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    mov edx, 0x18
    mov ds, edx
    mov es, edx
    mov ebx, -8192
    and ebx, esp
    xor eax, eax
    jmp BACK
by_table:
    push 0
    push 0
    push dword ptr [esp + 12]
    call sys_lseek
    add esp, 12
    ret
