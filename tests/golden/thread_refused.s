; pass: thread
; A counter that is known before the first round is not known in the second; what a call may change is not known; and
; where both ways of a branch lead to a test, what is known on one of them decides nothing.
f:
    push ebx
    mov ebx, 3
.head:
    dec ebx
    jne .head
.after:
    mov eax, [esp + 8]
    cmp eax, 9
    ja .join
.call:
    call g
.join:
    test eax, eax
    je .zero
    mov eax, 1
.zero:
    mov ecx, [esp + 12]
    cmp ecx, 5
    ja .test
    test ecx, ecx
    je .test
.test:
    test ecx, ecx
    je .end
    inc eax
.end:
    pop ebx
    ret
g:
    mov eax, [ecx]
    ret

after:
new:
    push ebx
    mov ebx, 3
new.1:
    dec ebx
    jne new.1
new.2:
    mov eax, dword ptr [esp + 8]
    cmp eax, 9
    ja new.4
new.3:
    call g
new.4:
    test eax, eax
    je new.6
new.5:
    mov eax, 1
new.6:
    mov ecx, dword ptr [esp + 12]
    cmp ecx, 5
    ja new.8
new.7:
    test ecx, ecx
    je new.8
new.8:
    test ecx, ecx
    je new.10
new.9:
    inc eax
new.10:
    pop ebx
    ret
