; A handler, and what its call becomes behind the gate of gate.py: no frame but at the exits, memory found by ss.
sys_call:
    push ebx
    mov ebx, dword ptr [esp + 8]
    mov eax, -9
    cmp ebx, 3
    ja .out
    mov eax, dword ptr [ebx*4 + {data + 16}]
    inc dword ptr [{data + 32}]
    add eax, dword ptr [esp + 12]
.out:
    pop ebx
    ret

after:
gate$sys_call$1:
    mov eax, 0xffffe000
    and eax, esp
    test byte ptr ss:[eax + 16], 2
    jne gate$sys_call$1.10
gate$sys_call$1.9:
    cmp ebx, 3
    ja gate$sys_call$1.12
gate$sys_call$1.11:
    mov eax, dword ptr ss:[ebx*4 + data + 16]
    inc dword ptr ss:[data + 32]
    cli
    push edi
    mov edi, 0xffffe000
    and edi, esp
    cmp dword ptr ss:[edi], 0
    jne gate$sys_call$1.14
gate$sys_call$1.13:
    cmp dword ptr ss:[edi + 4], 0
    jne gate$sys_call$1.16
gate$sys_call$1.15:
    lea edi, [ecx + eax]
    mov eax, edi
    pop edi
    iretd
gate$sys_call$1.16:
    mov edi, dword ptr [esp]
    mov dword ptr [esp], 1
    push es
    push ds
    lea eax, [ecx + eax]
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    cld
    mov eax, 24
    mov es, eax
    mov ds, eax
    mov ebx, 0xffffe000
    and ebx, esp
    jmp gate.signal
gate$sys_call$1.14:
    mov edi, dword ptr [esp]
    mov dword ptr [esp], 1
    push es
    push ds
    lea eax, [ecx + eax]
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    cld
    mov eax, 24
    mov es, eax
    mov ds, eax
    mov ebx, 0xffffe000
    and ebx, esp
    jmp gate.resched
gate$sys_call$1.12:
    cli
    cmp dword ptr ss:[eax], 0
    je gate$sys_call$1.20
gate$sys_call$1.19:
    push 1
    push es
    push ds
    push -9
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    cld
    mov edx, 24
    mov es, edx
    mov ds, edx
    mov ebx, eax
    jmp gate.resched
gate$sys_call$1.20:
    cmp dword ptr ss:[eax + 4], 0
    je gate$sys_call$1.22
gate$sys_call$1.21:
    push 1
    push es
    push ds
    push -9
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    cld
    mov edx, 24
    mov es, edx
    mov ds, edx
    mov ebx, eax
    jmp gate.signal
gate$sys_call$1.22:
    mov eax, -9
    iretd
gate$sys_call$1.10:
    push 1
    push es
    push ds
    push 1
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    cld
    mov edx, 24
    mov es, edx
    mov ds, edx
    mov ebx, eax
    jmp gate.traced
gate:
    cmp eax, 1
    jae gate.1
gate.0:
    push eax
    cld
    push es
    push ds
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    mov edx, 24
    mov ds, edx
    mov es, edx
    mov ebx, 0xffffe000
    and ebx, esp
gate.after1:
    test byte ptr [ebx + 16], 2
    jne gate.traced
gate.after2:
    call dword ptr [eax*4 + data]
gate.after3:
    mov dword ptr [esp + 24], eax
gate.return:
    cli
    cmp dword ptr [ebx], 0
    jne gate.resched
gate.after5:
    cmp dword ptr [ebx + 4], 0
    jne gate.signal
gate.after6:
    pop ebx
    pop ecx
    pop edx
    pop esi
    pop edi
    pop ebp
    pop eax
    pop ds
    pop es
    add esp, 4
    iretd
gate.bad:
    mov dword ptr [esp + 24], -38
    jmp gate.return
gate.traced:
    mov dword ptr [esp + 24], -38
    push esp
    call record
gate.after9:
    add esp, 4
    mov eax, dword ptr [esp + 36]
    call dword ptr [eax*4 + data]
gate.after10:
    mov dword ptr [esp + 24], eax
    push esp
    call record
gate.after11:
    add esp, 4
    jmp gate.return
gate.resched:
    sti
    mov dword ptr [ebx], 0
    push esp
    call record
gate.after13:
    add esp, 4
    jmp gate.return
gate.signal:
    sti
    mov dword ptr [ebx + 4], 0
    push esp
    call record
gate.after15:
    add esp, 4
    jmp gate.return
gate.1:
    je gate$sys_call$1
gate.2:
    push eax
    cld
    push es
    push ds
    push eax
    push ebp
    push edi
    push esi
    push edx
    push ecx
    push ebx
    mov edx, 24
    mov ds, edx
    mov es, edx
    mov ebx, 0xffffe000
    and ebx, esp
    cmp eax, 4
    jae gate.bad
    jmp gate.after1
