"""Handlers in which what a callee does to memory matters.  Argument 0 is 1 on the hot path."""

HANDLERS = {
    "a stack address that the callee may leave alone": """
sys_call:
    push ebp
    push 5
    mov ebp, esp
    push dword ptr [esp + 12]
    call perhaps
    add esp, 4
    mov eax, dword ptr [ebp]
    add esp, 4
    pop ebp
    cmp dword ptr [esp + 4], 1
    jne .cold
    ret
.cold:
    add eax, 7
    ret
perhaps:
    cmp dword ptr [esp + 4], 1
    je .left
    mov ebp, {data + 32}
.left:
    ret
""",
    "an operation that is replaced while its caller sleeps": """
sys_call:
    push ebx
    mov ebx, {data + 32}
    push dword ptr [esp + 8]
    mov dword ptr [ebx], {first}
    call dword ptr [ebx]
    call sleep
    call dword ptr [ebx]
    add esp, 4
    pop ebx
    cmp dword ptr [esp + 4], 1
    jne .cold
    ret
.cold:
    add eax, 7
    ret
first:
    mov eax, dword ptr [esp + 4]
    ret
second:
    mov eax, dword ptr [esp + 4]
    lea eax, [eax + eax*2 + 5]
    ret
sleep:
    test eax, eax
    je .awake
    mov dword ptr [{data + 32}], {second}
.awake:
    ret
""",
    "the same words for three calls, the one between them without any": """
sys_call:
    push 7
    push dword ptr [esp + 8]
    call sum
    add esp, 8
    call less
    push 7
    push dword ptr [esp + 8]
    call sum
    add esp, 8
    cmp dword ptr [esp + 4], 1
    jne .cold
    ret
.cold:
    add eax, 7
    ret
sum:
    mov eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 8]
    add dword ptr [{data + 32}], eax
    mov eax, dword ptr [{data + 32}]
    ret
less:
    dec dword ptr [{data + 32}]
    ret
""",
    "the same words twice, which the callee pops": """
sys_call:
    push 7
    push dword ptr [esp + 8]
    call sum
    push 7
    push dword ptr [esp + 8]
    call sum
    cmp dword ptr [esp + 4], 1
    jne .cold
    ret
.cold:
    add eax, 7
    ret
sum:
    mov eax, dword ptr [esp + 4]
    add eax, dword ptr [esp + 8]
    add dword ptr [{data + 32}], eax
    mov eax, dword ptr [{data + 32}]
    ret 8
""",
}
