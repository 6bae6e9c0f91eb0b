sys_call:
    push ebx
    mov ebx, dword ptr [esp + 8]
    push dword ptr [esp + 12]
    push ebx
    call get
    add esp, 8
    test eax, eax
    js .error
    push eax
    call dword ptr [{data + 32}]
    add esp, 4
    add eax, dword ptr [esp + 12]
.error:
    pop ebx
    ret
get:
    push esi
    mov esi, dword ptr [esp + 8]
    mov eax, -9
    cmp esi, 7
    ja .out
    mov eax, dword ptr [{data + 64} + esi*4] !.fixup
    add eax, dword ptr [esp + 12]
    cmp eax, 40
    ja .slow
.out:
    pop esi
    ret
.fixup:
    mov eax, -14
    jmp .out
.slow:
    mov dword ptr [{data + 36}], esi
    and eax, 15
    jmp .out
double:
    mov eax, dword ptr [esp + 4]
    cmp eax, 9
    ja other
    add eax, eax
    ret
other:
    mov eax, dword ptr [esp + 4]
    sub eax, 3
    ret

after:
sys_call$0:
    mov esi, dword ptr [esp + 4]
    cmp esi, 7
    ja sys_call$0.18
sys_call$0.0:
    mov eax, dword ptr [esi*4 + data + 64]    ; a fault continues at sys_call$0.19
sys_call$0.21:
    lea edx, [eax + 5]
    cmp edx, 40
    ja sys_call$0.23
sys_call$0.22:
    test edx, edx
    js sys_call$0.25
sys_call$0.24:
    cmp dword ptr [data + 32], double
    jne sys_call$0.27
sys_call$0.26:
    cmp edx, 9
    ja sys_call$0.29
sys_call$0.28:
    lea edx, [eax + eax + 15]
    mov eax, edx
    ret
sys_call$0.19:
    push 5
    push eax
    push sys_call$0$call.1
    lea esp, [esp - 12]
    push sys_call.after1
    push eax
    jmp get.fixup
sys_call$0.29:
    push 5
    push eax
    push sys_call$0$call.1
    push eax
    push edx
    push sys_call.after3
    jmp other
sys_call$0.27:
    push 5
    push eax
    push sys_call$0$call.1
    push eax
    push edx
    jmp sys_call.after2.at1
sys_call$0.25:
    push eax
    push eax
    push sys_call$0$call.1
    push eax
    mov eax, edx
    jmp sys_call.error
sys_call$0.23:
    push 5
    push eax
    push sys_call$0$call.1
    lea esp, [esp - 12]
    push sys_call.after1
    push eax
    mov eax, edx
    jmp get.slow
sys_call$0.18:
    push 5
    push eax
    push sys_call$0$call.1
    lea esp, [esp - 12]
    push sys_call.after1
    push eax
    mov eax, -9
    jmp get.out
sys_call$0$call:
    push 5
    push dword ptr [esp + 8]
    call sys_call
sys_call$0$call.1:
    lea esp, [esp + 8]
    ret
