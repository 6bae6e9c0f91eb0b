; joined
f:
    push ebx
    mov eax, dword ptr [esp + 8]
    mov ecx, dword ptr [eax]
    mov ebx, dword ptr [eax + 4]
    test ecx, ecx
    je .none
    mov ecx, dword ptr [ecx + 8]
    inc dword ptr [ecx]
    jmp .both
.none:
    lea ecx, [eax + 12]
.both:
    add ebx, dword ptr [ecx + 4]
    mov dword ptr [eax + 8], ebx
    mov eax, ecx
    pop ebx
    ret

after:
new:
    mov edx, dword ptr [esp + 4]
    mov ecx, dword ptr [edx]
    mov eax, dword ptr [edx + 4]
    test ecx, ecx
    je new.4
new.0:
    mov ecx, dword ptr [ecx + 8]
    inc dword ptr [ecx]
new.5:
    add eax, dword ptr [ecx + 4]
    mov dword ptr [edx + 8], eax
    mov eax, ecx
    ret
new.4:
    lea ecx, [edx + 12]
    jmp new.5
