// SPDX-License-Identifier: MIT
//
// native_factory.h - the flash that native boards leave the factory with: one for each model, for
// as long as there is a board of it.

#ifndef SIM_NATIVE_FACTORY_H
#define SIM_NATIVE_FACTORY_H

#include <sim/board_model.h>

// A board of this model is opened: the flash that it takes, or NULL if there is no memory. And is
// closed, with its own flash finished.
const struct flash_factory *native_factory_open(const struct board_model *model);
void native_factory_close(const struct board_model *model);

#endif
