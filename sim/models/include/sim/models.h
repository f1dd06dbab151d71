// SPDX-License-Identifier: MIT
//
// models.h - devices as they were shipped: models of boot loaders and products in the field, with
// their faults.
//
// Each is a native board with all faults of one implementation, whereas a defect (defect.h) is one
// fault of an otherwise good device. A suite must find these faults and leave the flash unchanged,
// however the model reacts to a request.
//
// A new model is a new row in the group of its subject, models_*.c.

#ifndef SIM_MODELS_H
#define SIM_MODELS_H

#include <sim/board_model.h>
#include <sim/defect.h>
#include <sim/name.h>

struct shipped_model {
    struct board_model model;
    const char *about;     // ids of the requirements that it breaks, a blank between them; "" where
                           // the specification has no word on it and a host must still take care
    struct sim_defect way; // its name is not used
};

// Groups, each terminated by a NULL name.
extern const struct shipped_model models_of_products[];    // at run time
extern const struct shipped_model models_of_descriptors[]; // boot loaders: their descriptors
extern const struct shipped_model models_of_states[];      // boot loaders: their state machine
extern const struct shipped_model models_of_detach[];      // what they make of DETACH
extern const struct shipped_model models_of_uploads[];     // what they read
extern const struct shipped_model models_of_downloads[];   // what they write
extern const struct shipped_model models_of_positions[];   // where the next transfer begins

// NULL: no such model.
const struct shipped_model *models_find(const char *name);

// Terminated by a NULL name; the summary ends in what it is about.
const struct sim_name *models_names(void);

#endif
