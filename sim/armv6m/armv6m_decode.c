// SPDX-License-Identifier: MIT
//
// Which encoding is which operation, as one table in the order of ARM A5.2. The interpreter looks
// operations up by the top 10 bits, so no mask reaches below bit 6; what depends on lower bits is
// left to the operation.

#include "armv6m_private.h"

static const struct {
    uint16_t mask;
    uint16_t value;
    uint8_t op;
} encodings[] = {
    // A5.2.1 Shift (immediate), add, subtract, move, and compare
    {0xF800, 0x0000, OP_LSL_IMM},
    {0xF800, 0x0800, OP_LSR_IMM},
    {0xF800, 0x1000, OP_ASR_IMM},
    {0xFE00, 0x1800, OP_ADD_REG},
    {0xFE00, 0x1A00, OP_SUB_REG},
    {0xFE00, 0x1C00, OP_ADD_IMM3},
    {0xFE00, 0x1E00, OP_SUB_IMM3},
    {0xF800, 0x2000, OP_MOV_IMM},
    {0xF800, 0x2800, OP_CMP_IMM},
    {0xF800, 0x3000, OP_ADD_IMM8},
    {0xF800, 0x3800, OP_SUB_IMM8},

    // A5.2.2 Data processing
    {0xFFC0, 0x4000, OP_AND},
    {0xFFC0, 0x4040, OP_EOR},
    {0xFFC0, 0x4080, OP_LSL_REG},
    {0xFFC0, 0x40C0, OP_LSR_REG},
    {0xFFC0, 0x4100, OP_ASR_REG},
    {0xFFC0, 0x4140, OP_ADC},
    {0xFFC0, 0x4180, OP_SBC},
    {0xFFC0, 0x41C0, OP_ROR},
    {0xFFC0, 0x4200, OP_TST},
    {0xFFC0, 0x4240, OP_RSB},
    {0xFFC0, 0x4280, OP_CMP_REG},
    {0xFFC0, 0x42C0, OP_CMN},
    {0xFFC0, 0x4300, OP_ORR},
    {0xFFC0, 0x4340, OP_MUL},
    {0xFFC0, 0x4380, OP_BIC},
    {0xFFC0, 0x43C0, OP_MVN},

    // A5.2.3 Special data instructions and branch and exchange
    {0xFF00, 0x4400, OP_ADD_HIGH},
    {0xFF00, 0x4500, OP_CMP_HIGH},
    {0xFF00, 0x4600, OP_MOV_HIGH},
    {0xFF80, 0x4700, OP_BX},
    {0xFF80, 0x4780, OP_BLX},

    // A6.7.27 LDR (literal), A5.2.4 Load/store single data item
    {0xF800, 0x4800, OP_LDR_LITERAL},
    {0xFE00, 0x5000, OP_STR_REG},
    {0xFE00, 0x5200, OP_STRH_REG},
    {0xFE00, 0x5400, OP_STRB_REG},
    {0xFE00, 0x5600, OP_LDRSB_REG},
    {0xFE00, 0x5800, OP_LDR_REG},
    {0xFE00, 0x5A00, OP_LDRH_REG},
    {0xFE00, 0x5C00, OP_LDRB_REG},
    {0xFE00, 0x5E00, OP_LDRSH_REG},
    {0xF800, 0x6000, OP_STR_IMM},
    {0xF800, 0x6800, OP_LDR_IMM},
    {0xF800, 0x7000, OP_STRB_IMM},
    {0xF800, 0x7800, OP_LDRB_IMM},
    {0xF800, 0x8000, OP_STRH_IMM},
    {0xF800, 0x8800, OP_LDRH_IMM},
    {0xF800, 0x9000, OP_STR_SP},
    {0xF800, 0x9800, OP_LDR_SP},

    // A6.7.6 ADR, A6.7.4 ADD (SP plus immediate)
    {0xF800, 0xA000, OP_ADR},
    {0xF800, 0xA800, OP_ADD_RD_SP},

    // A5.2.5 Miscellaneous 16-bit instructions
    {0xFF80, 0xB000, OP_ADD_SP},
    {0xFF80, 0xB080, OP_SUB_SP},
    {0xFFC0, 0xB200, OP_SXTH},
    {0xFFC0, 0xB240, OP_SXTB},
    {0xFFC0, 0xB280, OP_UXTH},
    {0xFFC0, 0xB2C0, OP_UXTB},
    {0xFE00, 0xB400, OP_PUSH},
    {0xFFC0, 0xB640, OP_CPS},
    {0xFFC0, 0xBA00, OP_REV},
    {0xFFC0, 0xBA40, OP_REV16},
    {0xFFC0, 0xBAC0, OP_REVSH},
    {0xFE00, 0xBC00, OP_POP},
    {0xFF00, 0xBE00, OP_BKPT},
    {0xFF00, 0xBF00, OP_HINT},

    // A6.7.58 STM, A6.7.25 LDM
    {0xF800, 0xC000, OP_STM},
    {0xF800, 0xC800, OP_LDM},

    // A5.2.6 Conditional branch, and supervisor call; 0xDE00 is permanently undefined
    {0xFF00, 0xD000, OP_BEQ},
    {0xFF00, 0xD100, OP_BNE},
    {0xFF00, 0xD200, OP_BCS},
    {0xFF00, 0xD300, OP_BCC},
    {0xFF00, 0xD400, OP_BMI},
    {0xFF00, 0xD500, OP_BPL},
    {0xFF00, 0xD600, OP_BVS},
    {0xFF00, 0xD700, OP_BVC},
    {0xFF00, 0xD800, OP_BHI},
    {0xFF00, 0xD900, OP_BLS},
    {0xFF00, 0xDA00, OP_BGE},
    {0xFF00, 0xDB00, OP_BLT},
    {0xFF00, 0xDC00, OP_BGT},
    {0xFF00, 0xDD00, OP_BLE},
    {0xFF00, 0xDF00, OP_SVC},

    // A6.7.10 B; A5.3 32-bit instructions: ARMv6-M has only those that begin with 11110
    {0xF800, 0xE000, OP_B},
    {0xF800, 0xF000, OP_WIDE},
};

enum armv6m_op armv6m_decode(uint16_t instruction)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        if ((instruction & encodings[i].mask) == encodings[i].value)
            return encodings[i].op;
    return OP_UNDEFINED;
}

enum armv6m_wide armv6m_decode_wide(uint16_t first, uint16_t second)
{
    if (armv6m_is_bl(second))
        return WIDE_BL;
    if ((first & 0xFFF0) == 0xF380 && (second & 0xFF00) == 0x8800)
        return WIDE_MSR;
    if (first == 0xF3EF && (second & 0xF000) == 0x8000)
        return WIDE_MRS;
    if (first == 0xF3BF && second >= 0x8F40 && second <= 0x8F6F)
        return WIDE_BARRIER;
    return WIDE_UNDEFINED;
}
