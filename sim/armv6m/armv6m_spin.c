// SPDX-License-Identifier: MIT
//
// Loops that only wait. Firmware that polls goes round and round and changes nothing until
// something happens to it, and what can happen is known: the run ends there. So now and then the
// processor is watched for a while, an instruction at a time. When it comes back to where the watch
// began with all registers as they were and all memory as it was, and has read nothing from the bus
// but what stays as it is until the end of the run, then every further turn is the same: whole
// turns are skipped up to the end. The rest is executed, and some turns before it, from which
// reports know the way. State and cycles are those of a processor that has executed everything.

#include "armv6m_private.h"

enum {
    LONGEST = 512,    // instructions of a watch
    WORTH = 1536,     // cycles that must be left for one
    LOOK = 512,       // cycles from one look at the last jumps to the next,
    LAZY = 16 * LOOK, // and of a processor that sleeps when it has nothing to do

    // After a watch without result the next one waits for so many cycles, doubled each time.
    FIRST_PAUSE = 512,
    LAST_PAUSE = 1 << 20,
};

static void give_up(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    struct armv6m_pause *pause = spin->repeats ? &spin->after_repeating : &spin->after_any;
    spin->watching = false;
    pause->until = cpu->cycles + pause->length;
    pause->length = pause->length < LAST_PAUSE ? 2 * pause->length : LAST_PAUSE;
}

static void succeed(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    struct armv6m_pause *pause = spin->repeats ? &spin->after_repeating : &spin->after_any;
    spin->watching = false;
    pause->until = cpu->cycles + FIRST_PAUSE;
    pause->length = FIRST_PAUSE;
}

// ---- memory that is written ----

static bool load_word(const struct armv6m *cpu, uint32_t address, uint32_t *ret_word)
{
    const struct armv6m_region *region = armv6m_find(cpu, address);
    if (!region || !region->writable)
        return false;
    *ret_word = get_word(region->bytes + (address - region->base));
    return true;
}

// Remembers what a word was when the turn began. False: it is no memory, or there are too many.
static bool remember_word(struct armv6m *cpu, uint32_t address)
{
    struct armv6m_spin *spin = &cpu->spin;
    for (unsigned i = 0; i < spin->word_count; i++)
        if (spin->words[i].address == address)
            return true;
    if (spin->word_count == ARMV6M_SPIN_WORDS ||
        !load_word(cpu, address, &spin->words[spin->word_count].value))
        return false;
    spin->words[spin->word_count++].address = address;
    return true;
}

static bool remember_words(struct armv6m *cpu, struct armv6m_access access)
{
    const uint32_t end = access.address + access.size;
    for (uint32_t address = access.address & ~3u; address < end; address += 4)
        if (!remember_word(cpu, address))
            return false;
    return true;
}

static bool memory_is_as_before(const struct armv6m *cpu)
{
    const struct armv6m_spin *spin = &cpu->spin;
    uint32_t word;
    for (unsigned i = 0; i < spin->word_count; i++)
        if (!load_word(cpu, spin->words[i].address, &word) || word != spin->words[i].value)
            return false;
    return true;
}

// ---- registers ----

static struct armv6m_spin_state state_of(const struct armv6m *cpu)
{
    struct armv6m_spin_state state = {
        .xpsr = armv6m_xpsr(cpu),
        .banked_sp = cpu->banked_sp,
        .enabled = (uint32_t)(cpu->enabled >> ARMV6M_IRQ0),
        .control = (uint32_t)cpu->primask | (uint32_t)cpu->spsel << 1 | (uint32_t)cpu->event << 2,
    };
    memcpy(state.r, cpu->r, sizeof(state.r));
    return state;
}

// ---- when to watch ----

static const struct armv6m_branch *jump_before(const struct armv6m *cpu, unsigned n)
{
    return &cpu->branches[(cpu->last_branch - n) % ARMV6M_BRANCHES];
}

static bool same_jumps(const struct armv6m *cpu, unsigned turn)
{
    for (unsigned n = 0; n < turn; n++)
        if (jump_before(cpu, n)->from != jump_before(cpu, n + turn)->from ||
            jump_before(cpu, n)->to != jump_before(cpu, n + turn)->to)
            return false;
    return true;
}

// Do the last jumps look like those of a loop?
static bool jumps_repeat(const struct armv6m *cpu)
{
    enum { IN_A_ROW = 4 };
    if (jump_before(cpu, 0)->count >= IN_A_ROW)
        return true;
    for (unsigned turn = 2; turn <= ARMV6M_BRANCHES / 2; turn++)
        if (same_jumps(cpu, turn))
            return true;
    return false;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

// Until one of the pauses is over, a look would see nothing.
static uint64_t pauses_end(const struct armv6m_spin *spin)
{
    const uint64_t repeating = spin->after_repeating.until, any = spin->after_any.until;
    return repeating < any ? repeating : any;
}

// A loop whose jumps repeat, or now and then any: there are loops with more jumps than are
// remembered.
static bool should_watch(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    spin->next_look = later(cpu->cycles + LOOK, pauses_end(spin));
    spin->repeats = cpu->cycles >= spin->after_repeating.until && jumps_repeat(cpu);
    return spin->repeats || cpu->cycles >= spin->after_any.until;
}

// ---- the watch ----

static void begin_turn(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    spin->state = state_of(cpu);
    spin->since = cpu->cycles;
    spin->word_count = 0;
    spin->jumps = 0;
    spin->jump_count = cpu->branches[cpu->last_branch].count;
    spin->visits = 0;
}

static void begin(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    spin->watching = true;
    spin->active = cpu->active;
    spin->pending = cpu->pending;
    spin->last_branch = cpu->last_branch;
    spin->instructions = 0;
    spin->asked_bus = false;
    spin->visits_to_begin = 1;
    begin_turn(cpu);
}

// Turns from here to a cycle, but for those that fill the memory of jumps. A loop with a single
// jump has counted it in each.
static void skip_turns(struct armv6m *cpu, uint64_t end)
{
    struct armv6m_branch *last = &cpu->branches[cpu->last_branch];
    const uint64_t turn = cpu->cycles - cpu->spin.since;
    const uint64_t turns = (end - cpu->cycles) / turn;
    const unsigned jumps = cpu->spin.jumps;
    const uint64_t real = jumps == 0 ? 0 : (ARMV6M_BRANCHES + jumps - 1) / jumps;
    if (turns <= real)
        return;
    cpu->cycles += (turns - real) * turn;
    if (jumps == 0)
        last->count += (uint32_t)(turns - real) * (last->count - cpu->spin.jump_count);
}

static bool is_back(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    if (spin->instructions == 0 || cpu->r[15] != spin->state.r[15])
        return false;
    const struct armv6m_spin_state state = state_of(cpu);
    if (memcmp(&state, &spin->state, sizeof(state)) == 0 && memory_is_as_before(cpu))
        return true;
    if (++spin->visits == spin->visits_to_begin) {
        spin->visits_to_begin *= 2;
        begin_turn(cpu);
    }
    return false;
}

static void count_jump(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    spin->jumps += cpu->last_branch != spin->last_branch;
    spin->last_branch = cpu->last_branch;
}

// Has the last instruction done no more than waiting?
static bool only_waits_so_far(const struct armv6m *cpu)
{
    const struct armv6m_spin *spin = &cpu->spin;
    return !(spin->asked_bus && !spin->steady) && cpu->active == spin->active &&
           cpu->pending == spin->pending;
}

// Firmware that looks into a queue disables an interrupt for the time: state_of() has these.
static bool is_enable_register(uint32_t address)
{
    return address == ARMV6M_NVIC_ISER || address == ARMV6M_NVIC_ICER;
}

// May the next one be what waiting does? What it stores over is remembered.
static bool may_go_on(struct armv6m *cpu)
{
    struct armv6m_spin *spin = &cpu->spin;
    const struct armv6m_access access = armv6m_next_access(cpu);
    spin->asked_bus = access.size != 0 && !access.is_write && !armv6m_find(cpu, access.address);
    spin->steady = false;
    return spin->instructions++ < LONGEST &&
           (!access.is_write || is_enable_register(access.address) || remember_words(cpu, access));
}

static uint64_t systick_zero_or(const struct armv6m *cpu, uint64_t end)
{
    const uint64_t zero = armv6m_systick_zero(cpu);
    return end - cpu->cycles > zero ? cpu->cycles + zero : end;
}

bool armv6m_spin_watch(struct armv6m *cpu, uint64_t end)
{
    if (!cpu->spin.watching && cpu->cycles < cpu->spin.next_look)
        return false;
    end = systick_zero_or(cpu, end);
    if (!cpu->spin.watching) {
        if (end - cpu->cycles < WORTH || !should_watch(cpu))
            return false;
        begin(cpu);
    }
    count_jump(cpu);
    if (!only_waits_so_far(cpu)) {
        give_up(cpu);
        return false;
    }
    if (is_back(cpu)) {
        skip_turns(cpu, end);
        succeed(cpu);
        return false;
    }
    if (may_go_on(cpu))
        return true;
    give_up(cpu);
    return false;
}

uint64_t armv6m_spin_next_look(const struct armv6m *cpu, uint64_t end)
{
    uint64_t next = cpu->spin.next_look;
    if (next <= cpu->cycles)
        next = cpu->cycles + LOOK;
    return end - cpu->cycles > WORTH && next < end ? next : end;
}

void armv6m_spin_reset(struct armv6m *cpu)
{
    const struct armv6m_pause first = {cpu->cycles + FIRST_PAUSE, FIRST_PAUSE};
    cpu->spin.watching = false;
    cpu->spin.next_look = cpu->cycles;
    cpu->spin.after_repeating = first;
    cpu->spin.after_any = first;
}

void armv6m_spin_new_run(struct armv6m *cpu)
{
    cpu->spin.watching = false;
    cpu->spin.next_look = cpu->cycles + (cpu->sleep == ARMV6M_AWAKE ? LOOK : LAZY);
}

void armv6m_stays(struct armv6m *cpu)
{
    cpu->spin.steady = true;
}
