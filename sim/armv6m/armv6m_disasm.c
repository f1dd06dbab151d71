// SPDX-License-Identifier: MIT
//
// Instructions as text, in UAL syntax: one pattern for each operation. In a pattern, % and a letter
// stand for a field of the instruction:
//
//   registers   d bits 2:0   n bits 5:3   m bits 8:6   t bits 10:8   D and M 0 to 15
//   immediates  3 bits 8:6   8 bits 7:0   5 bits 10:6   R the same, for a shift to the right
//               h and w bits 10:6 in halfwords and words   W bits 7:0 in words
//               S bits 6:0 in words
//   lists       l bits 7:0   p the same, with lr   P the same, with pc
//   addresses   c of a conditional branch   b of a branch   a of a literal   ! write-back of ldm
//   system      i interrupt enable or disable   H hint

#include "armv6m_private.h"

static const char *const patterns[] = {
    [OP_UNDEFINED] = "udf",
    [OP_LSL_IMM] = "lsls %d, %n, #%5",
    [OP_LSR_IMM] = "lsrs %d, %n, #%R",
    [OP_ASR_IMM] = "asrs %d, %n, #%R",
    [OP_ADD_REG] = "adds %d, %n, %m",
    [OP_SUB_REG] = "subs %d, %n, %m",
    [OP_ADD_IMM3] = "adds %d, %n, #%3",
    [OP_SUB_IMM3] = "subs %d, %n, #%3",
    [OP_MOV_IMM] = "movs %t, #%8",
    [OP_CMP_IMM] = "cmp %t, #%8",
    [OP_ADD_IMM8] = "adds %t, #%8",
    [OP_SUB_IMM8] = "subs %t, #%8",
    [OP_AND] = "ands %d, %n",
    [OP_EOR] = "eors %d, %n",
    [OP_LSL_REG] = "lsls %d, %n",
    [OP_LSR_REG] = "lsrs %d, %n",
    [OP_ASR_REG] = "asrs %d, %n",
    [OP_ADC] = "adcs %d, %n",
    [OP_SBC] = "sbcs %d, %n",
    [OP_ROR] = "rors %d, %n",
    [OP_TST] = "tst %d, %n",
    [OP_RSB] = "rsbs %d, %n, #0",
    [OP_CMP_REG] = "cmp %d, %n",
    [OP_CMN] = "cmn %d, %n",
    [OP_ORR] = "orrs %d, %n",
    [OP_MUL] = "muls %d, %n, %d",
    [OP_BIC] = "bics %d, %n",
    [OP_MVN] = "mvns %d, %n",
    [OP_ADD_HIGH] = "add %D, %M",
    [OP_CMP_HIGH] = "cmp %D, %M",
    [OP_MOV_HIGH] = "mov %D, %M",
    [OP_BX] = "bx %M",
    [OP_BLX] = "blx %M",
    [OP_LDR_LITERAL] = "ldr %t, [pc, #%W] ; %a",
    [OP_STR_REG] = "str %d, [%n, %m]",
    [OP_STRH_REG] = "strh %d, [%n, %m]",
    [OP_STRB_REG] = "strb %d, [%n, %m]",
    [OP_LDRSB_REG] = "ldrsb %d, [%n, %m]",
    [OP_LDR_REG] = "ldr %d, [%n, %m]",
    [OP_LDRH_REG] = "ldrh %d, [%n, %m]",
    [OP_LDRB_REG] = "ldrb %d, [%n, %m]",
    [OP_LDRSH_REG] = "ldrsh %d, [%n, %m]",
    [OP_STR_IMM] = "str %d, [%n, #%w]",
    [OP_LDR_IMM] = "ldr %d, [%n, #%w]",
    [OP_STRB_IMM] = "strb %d, [%n, #%5]",
    [OP_LDRB_IMM] = "ldrb %d, [%n, #%5]",
    [OP_STRH_IMM] = "strh %d, [%n, #%h]",
    [OP_LDRH_IMM] = "ldrh %d, [%n, #%h]",
    [OP_STR_SP] = "str %t, [sp, #%W]",
    [OP_LDR_SP] = "ldr %t, [sp, #%W]",
    [OP_ADR] = "adr %t, %a",
    [OP_ADD_RD_SP] = "add %t, sp, #%W",
    [OP_ADD_SP] = "add sp, #%S",
    [OP_SUB_SP] = "sub sp, #%S",
    [OP_SXTH] = "sxth %d, %n",
    [OP_SXTB] = "sxtb %d, %n",
    [OP_UXTH] = "uxth %d, %n",
    [OP_UXTB] = "uxtb %d, %n",
    [OP_PUSH] = "push %p",
    [OP_POP] = "pop %P",
    [OP_CPS] = "cps%i i",
    [OP_REV] = "rev %d, %n",
    [OP_REV16] = "rev16 %d, %n",
    [OP_REVSH] = "revsh %d, %n",
    [OP_BKPT] = "bkpt #%8",
    [OP_HINT] = "%H",
    [OP_STM] = "stm %t!, %l",
    [OP_LDM] = "ldm %t%!, %l",
    [OP_BEQ] = "beq %c",
    [OP_BNE] = "bne %c",
    [OP_BCS] = "bcs %c",
    [OP_BCC] = "bcc %c",
    [OP_BMI] = "bmi %c",
    [OP_BPL] = "bpl %c",
    [OP_BVS] = "bvs %c",
    [OP_BVC] = "bvc %c",
    [OP_BHI] = "bhi %c",
    [OP_BLS] = "bls %c",
    [OP_BGE] = "bge %c",
    [OP_BLT] = "blt %c",
    [OP_BGT] = "bgt %c",
    [OP_BLE] = "ble %c",
    [OP_SVC] = "svc #%8",
    [OP_B] = "b %b",
};

static const char *const registers[] = {
    "r0", "r1", "r2",  "r3",  "r4",  "r5", "r6", "r7",
    "r8", "r9", "r10", "r11", "r12", "sp", "lr", "pc",
};

// The text as it grows; what does not fit is cut off.
struct text {
    char *to;
    size_t left;
};

static void put(struct text *text, const char *part)
{
    const int length = snprintf(text->to, text->left, "%s", part);
    const size_t written = (size_t)length < text->left ? (size_t)length : text->left - 1;
    text->to += written;
    text->left -= written;
}

static void put_number(struct text *text, const char *format, uint32_t number)
{
    char digits[16];
    snprintf(digits, sizeof(digits), format, number);
    put(text, digits);
}

static void put_decimal(struct text *text, uint32_t number)
{
    put_number(text, "%u", number);
}

static void put_address(struct text *text, uint32_t address)
{
    put_number(text, "0x%08x", address);
}

static void put_list(struct text *text, uint32_t list)
{
    const char *before = "{";
    for (unsigned n = 0; n < 16; n++) {
        if (!bits(list, n, 1))
            continue;
        put(text, before);
        put(text, registers[n]);
        before = ", ";
    }
    put(text, "}");
}

static void put_hint(struct text *text, unsigned number)
{
    static const char *const hints[] = {"nop", "yield", "wfe", "wfi", "sev"};
    if (number < sizeof(hints) / sizeof(hints[0])) {
        put(text, hints[number]);
    } else {
        put(text, "hint #");
        put_decimal(text, number);
    }
}

static void put_field(struct text *text, char field, uint16_t i, uint32_t address)
{
    const uint32_t pc = address + 4;
    const uint32_t imm5 = bits(i, 6, 5), imm8 = bits(i, 0, 8);
    switch (field) {
    case 'd':
        put(text, registers[bits(i, 0, 3)]);
        break;
    case 'n':
        put(text, registers[bits(i, 3, 3)]);
        break;
    case 'm':
        put(text, registers[bits(i, 6, 3)]);
        break;
    case 't':
        put(text, registers[bits(i, 8, 3)]);
        break;
    case 'D':
        put(text, registers[bits(i, 0, 3) | bits(i, 7, 1) << 3]);
        break;
    case 'M':
        put(text, registers[bits(i, 3, 4)]);
        break;
    case '3':
        put_decimal(text, bits(i, 6, 3));
        break;
    case '8':
        put_decimal(text, imm8);
        break;
    case '5':
        put_decimal(text, imm5);
        break;
    case 'R':
        put_decimal(text, imm5 ? imm5 : 32);
        break;
    case 'h':
        put_decimal(text, 2 * imm5);
        break;
    case 'w':
        put_decimal(text, 4 * imm5);
        break;
    case 'W':
        put_decimal(text, 4 * imm8);
        break;
    case 'S':
        put_decimal(text, 4 * bits(i, 0, 7));
        break;
    case 'l':
        put_list(text, imm8);
        break;
    case 'p':
        put_list(text, imm8 | bits(i, 8, 1) << 14);
        break;
    case 'P':
        put_list(text, imm8 | bits(i, 8, 1) << 15);
        break;
    case 'c':
        put_address(text, pc + 2 * sign_extend(imm8, 8));
        break;
    case 'b':
        put_address(text, pc + 2 * sign_extend(bits(i, 0, 11), 11));
        break;
    case 'a':
        put_address(text, (pc & ~3u) + 4 * imm8);
        break;
    case '!':
        put(text, bits(i, bits(i, 8, 3), 1) ? "" : "!");
        break;
    case 'i':
        put(text, bits(i, 4, 1) ? "id" : "ie");
        break;
    case 'H':
        put_hint(text, bits(i, 4, 4));
        break;
    default:
        break;
    }
}

// ---- 32 bits ----

static void put_special(struct text *text, unsigned sysm)
{
    static const char *const names[] = {
        [0] = "apsr", [1] = "iapsr",    [2] = "eapsr",    [3] = "xpsr",
        [5] = "ipsr", [6] = "epsr",     [7] = "iepsr",    [8] = "msp",
        [9] = "psp",  [16] = "primask", [20] = "control",
    };
    if (sysm < sizeof(names) / sizeof(names[0]) && names[sysm])
        put(text, names[sysm]);
    else
        put_decimal(text, sysm);
}

static void put_barrier(struct text *text, uint16_t second)
{
    static const char *const barriers[] = {[4] = "dsb", [5] = "dmb", [6] = "isb"};
    put(text, barriers[bits(second, 4, 4)]);
    if (bits(second, 0, 4) != 0xF) {
        put(text, " #");
        put_decimal(text, bits(second, 0, 4));
    }
}

static void put_wide(struct text *text, uint32_t address, uint16_t first, uint16_t second)
{
    switch (armv6m_decode_wide(first, second)) {
    case WIDE_BL:
        put(text, "bl ");
        put_address(text, address + 4 + (uint32_t)armv6m_bl_offset(first, second));
        break;
    case WIDE_MSR:
        put(text, "msr ");
        put_special(text, bits(second, 0, 8));
        put(text, ", ");
        put(text, registers[bits(first, 0, 4)]);
        break;
    case WIDE_MRS:
        put(text, "mrs ");
        put(text, registers[bits(second, 8, 4)]);
        put(text, ", ");
        put_special(text, bits(second, 0, 8));
        break;
    case WIDE_BARRIER:
        put_barrier(text, second);
        break;
    case WIDE_UNDEFINED:
        put(text, "udf.w");
        break;
    }
}

// Encodings that fault although their operation does not.
static bool is_undefined(uint16_t i, enum armv6m_op op)
{
    return op == OP_UNDEFINED || (op == OP_HINT && bits(i, 0, 4) != 0) ||
           (op == OP_CPS && (i & 0xFFEF) != 0xB662);
}

unsigned
armv6m_disasm(uint32_t address, uint16_t first, uint16_t second, char buffer[ARMV6M_DISASM_SIZE])
{
    struct text text = {buffer, ARMV6M_DISASM_SIZE};
    const enum armv6m_op op = armv6m_decode(first);
    if (op == OP_WIDE) {
        put_wide(&text, address, first, second);
        return 4;
    }
    const char *pattern = patterns[is_undefined(first, op) ? OP_UNDEFINED : op];
    for (; *pattern; pattern++) {
        if (*pattern == '%')
            put_field(&text, *++pattern, first, address);
        else
            put(&text, (const char[]){*pattern, '\0'});
    }
    return 2;
}
