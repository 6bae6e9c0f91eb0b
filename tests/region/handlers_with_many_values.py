"""Handlers whose words compete for registers, or change places between them: see `handlers`."""

HANDLERS = {
    "arguments that change places": """
sys_call:
    mov eax, dword ptr [esp + 8]
    mov ecx, dword ptr [esp + 12]
    mov dword ptr [esp + 8], ecx
    mov dword ptr [esp + 12], eax
    cmp dword ptr [esp + 4], 1
    jne .cold
    ret
.cold:
    mov eax, dword ptr [esp + 12]
    ret
""",
    "registers that change places at an exit": """
sys_call:
    push ebx
    push esi
    mov eax, dword ptr [{data + 32}]
    mov ecx, dword ptr [{data + 36}]
    mov edx, dword ptr [{data + 40}]
    lea ebx, [eax + ecx]
    cmp ebx, edx
    mov esi, eax
    mov eax, ecx
    mov ecx, edx
    mov edx, esi
    je .cold
    cmp dword ptr [esp + 12], 1
    jne .cold
    mov eax, 1
    pop esi
    pop ebx
    ret
.cold:
    lea eax, [eax + ecx*2]
    lea eax, [eax + edx*4]
    pop esi
    pop ebx
    ret
""",
    "many values over a call": """
sys_call:
    push ebx
    push esi
    push edi
    push ebp
    mov ebx, dword ptr [{data + 32}]
    mov esi, dword ptr [{data + 36}]
    mov edi, dword ptr [{data + 40}]
    mov ebp, dword ptr [{data + 44}]
    push dword ptr [{data + 48}]
    push dword ptr [esp + 24]
    call change
    mov ecx, dword ptr [esp + 4]
    add esp, 8
    lea ebx, [ebx + esi*2]
    lea edi, [edi + ebp*4]
    sub ebx, edi
    xor ebx, ecx
    cmp dword ptr [esp + 20], 1
    jne .cold
    add eax, ebx
    pop ebp
    pop edi
    pop esi
    pop ebx
    ret
.cold:
    lea eax, [esi + ebp]
    pop ebp
    pop edi
    pop esi
    pop ebx
    ret
change:
    mov eax, dword ptr [esp + 4]
    mov edx, dword ptr [esp + 8]
    mov ecx, 99
    mov dword ptr [{data + 32}], ecx
    mov dword ptr [{data + 48}], ecx
    add eax, edx
    ret
""",
    "more values than registers": """
sys_call:
    push ebx
    push esi
    push edi
    push ebp
    sub esp, 16
    mov eax, dword ptr [{data + 32}]
    mov dword ptr [esp], eax
    mov eax, dword ptr [{data + 36}]
    mov dword ptr [esp + 4], eax
    mov eax, dword ptr [{data + 40}]
    mov dword ptr [esp + 8], eax
    mov ebx, dword ptr [{data + 44}]
    mov esi, dword ptr [{data + 48}]
    mov edi, dword ptr [{data + 52}]
    mov ebp, dword ptr [{data + 56}]
    mov ecx, dword ptr [esp + 40]
    mov edx, dword ptr [esp + 44]
    mov dword ptr [{data + 32}], edx
    sub ebx, esi
    sub edi, ebx
    imul ebp, edi
    sub ecx, dword ptr [esp]
    sbb edx, dword ptr [esp + 4]
    mov eax, dword ptr [esp + 8]
    adc eax, ebp
    sub esi, eax
    cmp ecx, ebx
    sbb edx, edi
    jl .less
    add eax, dword ptr [esp]
.less:
    cmp dword ptr [esp + 36], 1
    jne .cold
    sub eax, dword ptr [esp + 4]
    xor eax, ecx
    add eax, edx
    sub eax, ebx
    add eax, esi
    imul eax, edi
    sub eax, ebp
    add esp, 16
    pop ebp
    pop edi
    pop esi
    pop ebx
    ret
.cold:
    sub eax, esi
    xor eax, ebx
    add eax, edi
    sub eax, ebp
    add eax, dword ptr [esp + 8]
    imul eax, ecx
    add esp, 16
    pop ebp
    pop edi
    pop esi
    pop ebx
    ret
""",
    "the least of two 64-bit words": """
sys_call:
    push ebx
    push esi
    push edi
    mov eax, dword ptr [{data + 32}]
    mov ecx, dword ptr [{data + 36}]
    mov edx, dword ptr [esp + 20]
    mov ebx, dword ptr [esp + 24]
    mov esi, 4096
    mov edi, edx
    sub edi, eax
    sbb ebx, ecx
    cmp edi, 4096
    sbb ebx, 0
    cmovl esi, edi
    cmp eax, edx
    sbb ecx, dword ptr [esp + 24]
    cmovl eax, esi
    cmp dword ptr [esp + 16], 1
    jne .cold
    add eax, esi
    add eax, ecx
.cold:
    pop edi
    pop esi
    pop ebx
    ret
""",
    "instructions that insist on their registers": """
sys_call:
    push ebx
    mov ebx, dword ptr [esp + 12]
    mov eax, dword ptr [esp + 16]
    mov ecx, dword ptr [esp + 8]
    mov edx, 5
    shl ebx, cl
    mul ebx
    bt eax, 3
    jb .bit
    lock inc dword ptr [{data + 32}]
.bit:
    xchg dword ptr [{data + 36}], edx
    bswap edx
    cmp eax, edx
    pushfd
    pop ecx
    and ecx, 0x400
    push ecx
    popfd
    cmp dword ptr [esp + 8], 1
    jne .cold
    add eax, edx
.cold:
    add eax, ebx
    pop ebx
    ret
""",
}
