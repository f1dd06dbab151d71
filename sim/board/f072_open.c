// SPDX-License-Identifier: MIT
//
// Opening and closing a board: the image is loaded into flash and the options are applied.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "f072_board_private.h"

static void trace_instruction(void *context, const struct armv6m *cpu)
{
    const struct f072_board *board = context;
    char text[ARMV6M_DISASM_SIZE];
    uint16_t first = 0;
    uint16_t second = 0;

    armv6m_peek16(cpu, cpu->r[15], &first);
    armv6m_peek16(cpu, cpu->r[15] + 2, &second);
    armv6m_disasm(cpu->r[15], first, second, text);
    f072_trace(&board->chip.report, SIM_TRACE_INSTRUCTIONS, f072_chip_now(&board->chip), "%08X  %s",
               cpu->r[15], text);
}

// Without memory for it, functions have no names.
static void remember_image(struct f072_board *board, const char *path)
{
    board->image_path = strdup(path);
    board->image_flash = malloc(board->flash.memory.size);
    if (board->image_flash)
        memcpy(board->image_flash, board->flash.bytes, board->flash.memory.size);
}

// The image is loaded only into a flash that nothing else has been written to.
static bool fill_flash(struct f072_board *board,
                       const struct sim_options *options,
                       char *error,
                       size_t error_size)
{
    const struct f072_model *model = board->options.model;

    if (!flash_init(&board->flash, (struct flash_shape){.size = model->flash_size,
                                                        .page_size = model->page_size})) {
        snprintf(error, error_size, "no memory for the virtual board's flash");
        return false;
    }
    if (!f072_load_image(model, board->options.boot_address, options->firmware, board->flash.bytes,
                         error, error_size))
        return false;
    remember_image(board, options->firmware);
    return !options->flash || flash_load(&board->flash, options->flash, error, error_size);
}

// A line of firmware's output is in the file as soon as it is whole.
static bool open_uart(struct f072_board *board, const char *name, char *error, size_t error_size)
{
    if (!name)
        return true;
    board->uart = strcmp(name, "-") == 0 ? stdout : fopen(name, "wb");
    if (!board->uart) {
        snprintf(error, error_size, "uart %s: cannot write what it sends: %s", name,
                 strerror(errno));
        return false;
    }
    setvbuf(board->uart, NULL, _IOLBF, BUFSIZ);
    return true;
}

static void put_uart(void *context, uint8_t byte)
{
    fputc(byte, ((struct f072_board *)context)->uart);
}

void f072_board_free(struct f072_board *board)
{
    f072_rest_free(board);
    flash_finish(&board->flash);
    if (board->uart && board->uart != stdout)
        fclose(board->uart);
    free(board->image_path);
    free(board->image_flash);
    free(board);
}

struct sim_device *
f072_board_open(const struct sim_options *options, char *error, size_t error_size)
{
    struct f072_board *board = calloc(1, sizeof *board);

    if (!board) {
        snprintf(error, error_size, "no memory for the virtual board");
        return NULL;
    }
    if (!f072_options_parse(&board->options, options, error, error_size) ||
        !fill_flash(board, options, error, error_size) ||
        !open_uart(board, options->uart, error, error_size)) {
        f072_board_free(board);
        return NULL;
    }
    board->base.ops = &f072_board_ops;
    f072_rest_disturb(board);
    board->seed = options->seed;
    f072_chip_init(&board->chip, board->options.model, board->flash.bytes, board->flash.options,
                   0x00420000 + options->seed);
    board->chip.boot_address = board->options.boot_address;
    board->chip.uart = (struct f072_uart_sink){board->uart ? put_uart : NULL, board};
    board->chip.report.trace = options->trace;
    if (options->trace & SIM_TRACE_INSTRUCTIONS)
        armv6m_set_trace(&board->chip.cpu, trace_instruction, board);
    f072_board_rom_init(board);
    return &board->base;
}
