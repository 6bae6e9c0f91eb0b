; pass: peephole
f:
    lea esp, [esp - 4]
    lea esp, [esp - 8]
    mov eax, eax
    mov ecx, [eax + 8]
    or edx, ecx
    mov ecx, [eax + 12]
    test ecx, ecx
    je .end
    mov ecx, edx
    mov [esp + 4], ecx
    mov ecx, [eax]
    mov dword ptr [edx], 1
    add eax, ecx
    mov ecx, [eax + 4] !.end
    add eax, ecx
.end:
    mov eax, [esp + 4]
    lea esp, [esp + 12]
    ret

after:
new:
    lea esp, [esp - 12]
    or edx, dword ptr [eax + 8]
    cmp dword ptr [eax + 12], 0
    je new.3
new.1:
    mov dword ptr [esp + 4], edx
    add eax, dword ptr [eax]
    mov dword ptr [edx], 1
    mov ecx, dword ptr [eax + 4]    ; a fault continues at new.3
new.2:
    add eax, ecx
new.3:
    mov eax, dword ptr [esp + 4]
    lea esp, [esp + 12]
    ret
