"""Handlers in which a region can go wrong, one thing in each.  Argument 0 is 1 on the hot path."""

HANDLERS = {
    "a slot that only the cold side reads": """
sys_call:
    sub esp, 8
    mov ecx, dword ptr [esp + 16]
    mov dword ptr [esp + 4], ecx
    mov eax, 5
    cmp dword ptr [esp + 12], 1
    jne .cold
    add esp, 8
    ret
.cold:
    mov eax, dword ptr [esp + 4]
    add esp, 8
    ret
""",
    "flags that the cold side reads, and a product": """
sys_call:
    mov eax, dword ptr [esp + 4]
    mov ecx, dword ptr [esp + 8]
    mov edx, ecx
    imul edx, eax
    cmp eax, 1
    jne .cold
    mov eax, ecx
    ret
.cold:
    ja .more
    lea eax, [edx + 77]
    ret
.more:
    lea eax, [edx + 78]
    ret
""",
    "flags of a count in memory that both sides read": """
sys_call:
    mov eax, dword ptr [esp + 4]
    mov dword ptr [{data + 32}], eax
    dec dword ptr [{data + 32}]
    jne .cold
    mov eax, 3
    ret
.cold:
    js .more
    mov eax, 77
    ret
.more:
    mov eax, 78
    ret
""",
    "a copy that faults with half of the work done": """
sys_call:
    push esi
    push edi
    mov esi, {data + 32}
    mov edi, HALF
    mov ecx, dword ptr [esp + 12]
    add ecx, 7
    rep movsb !.fixup
.fixup:
    lea eax, [ecx + edi]
    sub eax, esi
    pop edi
    pop esi
    ret
""",
    "two words that are copied, where the second faults": """
sys_call:
    push esi
    push edi
    mov esi, {data + 32}
    mov edi, HALF
    cmp dword ptr [esp + 12], 1
    je .near
    mov edi, {data + 40}
.near:
    mov ecx, 2
    rep movsd !.fixup
.fixup:
    lea eax, [ecx + edi]
    sub eax, esi
    pop edi
    pop esi
    ret
""",
    "words of the frame that are copied, where one faults": """
sys_call:
    push esi
    push edi
    push dword ptr [esp + 12]
    push dword ptr [esp + 20]
    mov esi, esp
    mov edi, HALF
    cmp dword ptr [esp + 20], 1
    je .near
    mov edi, {data + 40}
.near:
    mov ecx, 2
    rep movsd !.fixup
.fixup:
    lea eax, [ecx*8 + edi]
    add eax, esi
    sub eax, esp
    add esp, 8
    pop edi
    pop esi
    ret
""",
    "words of the frame that are filled and copied over each other": """
sys_call:
    push esi
    push edi
    sub esp, 20
    mov eax, [esp + 32]
    lea edi, [esp + 4]
    mov ecx, 3
    rep stosd
    mov byte ptr [esp + 7], 77
    lea esi, [esp + 4]
    lea edi, [esp + 8]
    mov ecx, 2
    rep movsd
    mov eax, [esp + 12]
    add eax, ecx
    cmp dword ptr [esp + 32], 1
    jne .cold
    add eax, [esp + 8]
.cold:
    sub edi, esp
    add eax, edi
    add esp, 20
    pop edi
    pop esi
    ret
""",
    "a load that a store would overtake": """
sys_call:
    mov eax, dword ptr [{data + 32}]
    mov ecx, dword ptr [esp + 4]
    mov dword ptr [{data + 32}], ecx
    add eax, ecx
    ret
""",
    "bytes": """
sys_call:
    mov ecx, dword ptr [esp + 8]
    mov eax, dword ptr [esp + 12]
    add ch, al
    jbe .low
    or cl, ah
    js .low
    test byte ptr [{data + 33}], 6
    jne .low
    inc eax
.low:
    sub al, cl
    jl .cold
    movsx edx, cl
    add eax, edx
    mov word ptr [{data + 36}], ax
    cmp byte ptr [{data + 36}], 3
    setb cl
    add al, cl
    ret
.cold:
    movzx eax, ch
    ret
""",
    "the task below the stack, and a local that somebody changes": """
sys_call:
    push ebx
    sub esp, 8
    mov ebx, esp
    and ebx, -8192
    mov eax, dword ptr [esp + 16]
    mov dword ptr [esp + 4], eax
    mov dword ptr [ebx + 16], eax
    lea ecx, [esp + 4]
    push ecx
    call change
    add esp, 4
    add eax, dword ptr [esp + 4]
    add eax, dword ptr [ebx + 16]
    cmp dword ptr [esp + 16], 1
    jne .cold
    add eax, 1
.cold:
    mov dword ptr [ebx + 16], 0
    add eax, dword ptr [esp + 4]
    add esp, 8
    pop ebx
    ret
change:
    mov ecx, dword ptr [esp + 4]
    mov eax, dword ptr [ecx]
    add dword ptr [ecx], 3
    ret
""",
    "a default, and what is selected": """
sys_call:
    mov ecx, dword ptr [esp + 8]
    mov eax, 2
    test ecx, ecx
    cmovne eax, ecx
    cmp eax, 2
    jne .other
    add eax, dword ptr [{data + 32}]
    inc eax
    cmp ecx, 0
    je .zero
    add eax, ecx
.zero:
    ret
.other:
    cmp eax, 1
    je .zero
    lea eax, [eax + ecx*8]
    ret
""",
    "a loop": """
sys_call:
    push ebx
    mov ebx, dword ptr [esp + 12]
    and ebx, 7
    xor eax, eax
.next:
    add eax, ebx
    mov dword ptr [{data + 32}], eax
    dec ebx
    jns .next
    add eax, dword ptr [esp + 8]
    pop ebx
    ret
""",
    "the zero of a narrow sum that carries": """
sys_call:
    mov eax, dword ptr [esp + 4]
    mov ecx, dword ptr [esp + 8]
    add al, 0xff
    je .zero
    lea eax, [ecx + 5]
    ret
.zero:
    lea eax, [ecx + 7]
    ret
""",
    "an exit to code that loads and stores what nobody needs": """
sys_call:
    push ebx
    sub esp, 8
    mov ebx, esp
    mov eax, dword ptr [esp + 16]
    mov dword ptr [esp], eax
    cmp eax, 1
    jne .cold
    add eax, dword ptr [esp]
    add esp, 8
    pop ebx
    ret
.cold:
    mov edx, dword ptr [ebx]
    mov dword ptr [ebx + 4], edx
    mov eax, 7
    add esp, 8
    pop ebx
    ret
""",
}
