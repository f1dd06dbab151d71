// SPDX-License-Identifier: MIT

#include <stm32f072/model.h>

#include <strings.h>

#include <sim/image.h>
#include <stm32f072/chip.h>

const struct f072_model f072_models[] = {
    {
        .name = "f072",
        .title = "STM32F072",
        .flash_size = 128 * 1024,
        .page_size = 2048,
        .sram_size = 16 * 1024,
        .rom_base = 0x1FFFC800,
        .unique_id = 0x1FFFF7AC,
        .idcode = 0x20016448,
        .rom_id = 0xA1,
        .hsi48 = true,
        .flash_layout = "@Internal Flash  /0x08000000/064*0002Kg",
    },
    {
        .name = "f042",
        .title = "STM32F042",
        .flash_size = 32 * 1024,
        .page_size = 1024,
        .sram_size = 6 * 1024,
        .boot_sel = true,
        .checks_boot0 = true,
        .rom_base = 0x1FFFC400,
        .unique_id = 0x1FFFF7AC,
        .idcode = 0x10006445,
        .rom_id = 0xA1,
        .hsi48 = true,
        .flash_layout = "@Internal Flash  /0x08000000/032*0001Kg",
        .rom_serial = "FFFFFFFEFFFF", // of every one: it does not read the unique id
    },
    {
        .name = "f070",
        .title = "STM32F070xB",
        .flash_size = 128 * 1024,
        .page_size = 2048,
        .sram_size = 16 * 1024,
        .rom_base = 0x1FFFC800,
        .unique_id = 0x1FFFF7AC,
        .idcode = 0x20016448,
        .rom_id = 0xA3,
        .value_line = true,
        .flash_layout = "@Internal Flash  /0x08000000/064*0002Kg",
    },
    {
        .name = "f070x6",
        .title = "STM32F070x6",
        .flash_size = 32 * 1024,
        .page_size = 1024,
        .sram_size = 6 * 1024,
        .boot_sel = true,
        .checks_boot0 = true,
        .rom_base = 0x1FFFC400,
        .unique_id = 0x1FFFF7AC,
        .idcode = 0x10006445,
        .rom_id = 0xA2,
        .value_line = true,
        .flash_layout = "@Internal Flash  /0x08000000/032*0001Kg",
        .rom_serial = "FFFFFFFEFFFF",
    },
};

const struct f072_model *f072_find_model(const char *name)
{
    if (strncasecmp(name, "stm32", 5) == 0)
        name += 5;
    for (size_t i = 0; i < sizeof f072_models / sizeof f072_models[0]; i++)
        if (strcasecmp(name, f072_models[i].name) == 0)
            return &f072_models[i];
    return NULL;
}

bool f072_load_image(const struct f072_model *model,
                     uint32_t boot_address,
                     const char *path,
                     uint8_t *flash,
                     char *error,
                     size_t error_size)
{
    struct image image = {
        .chip = model->title,
        .flash_base = F072_FLASH_BASE,
        .flash_size = model->flash_size,
        .sram_base = F072_SRAM_BASE,
        .sram_size = model->sram_size,
        .start = boot_address == 0 ? F072_FLASH_BASE : boot_address,
        .flash = flash,
    };

    return image_load_file(&image, path, error, error_size);
}
