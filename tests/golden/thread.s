; pass: thread
; cold: .none
; Two ways to .found decide its test, of which one is known only on its way.
f:
    mov ecx, [esp + 4]
    mov eax, 0
    test ecx, ecx
    je .found
.some:
    inc dword ptr [ecx + 8]
    mov eax, ecx
.found:
    mov edx, 5
    test eax, eax
    je .none
.hot:
    mov eax, [eax + edx]
    ret
.none:
    mov eax, -9
    ret

after:
new:
    mov ecx, dword ptr [esp + 4]
    mov eax, 0
    test ecx, ecx
    je new.0
    jmp new.1
new.0:
    mov edx, 5
    test eax, eax
    jmp new.4
new.1:
    inc dword ptr [ecx + 8]
    mov eax, ecx
new.5:
    mov edx, 5
    test eax, eax
    jmp new.3
new.2:
    mov edx, 5
    test eax, eax
    je new.4
new.3:
    mov eax, dword ptr [eax + edx]
    ret
new.4:
    mov eax, -9
    ret
