/* SPDX-License-Identifier: BSD-3-Clause */
/* This node: what it is made of. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_HWLOC
#include <hwloc.h>
#endif

#include "agent/system.h"
#include "agent/textfile.h"
#include "build_id.h"

enum { TEXT = RECORD_TEXT_SIZE };

static void from_file(struct record_fact *f, const char *path, const char *reason)
{
    char text[TEXT];

    if (textfile_read(path, text, sizeof text) == 0 && text[0])
        record_fact_text(f, text);
    else
        record_fact_unknown(f, reason);
}

static void from_cpuinfo(struct record_fact *inventory)
{
    static const struct {
        enum record_inventory_id id;
        const char *key;
    } rows[] = {
        {INVENTORY_cpu_model, "model name"},
        {INVENTORY_microcode, "microcode"},
    };
    char text[8192], value[TEXT];

    textfile_read("/proc/cpuinfo", text, sizeof text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (textfile_value(text, rows[i].key, value, sizeof value) == 0)
            record_fact_text(&inventory[rows[i].id], value);
        else
            record_fact_unknown(&inventory[rows[i].id], "/proc/cpuinfo does not say");
    if (strstr(text, " hypervisor"))
        from_file(&inventory[INVENTORY_virtual_machine], "/sys/hypervisor/type", "");
    else
        record_fact_text(&inventory[INVENTORY_virtual_machine], "none");
    if (inventory[INVENTORY_virtual_machine].state == FACT_UNKNOWN)
        record_fact_text(&inventory[INVENTORY_virtual_machine], "yes");
}

#ifdef HAVE_HWLOC
static const struct {
    enum record_inventory_id id;
    hwloc_obj_type_t type;
} counted[] = {
    {INVENTORY_sockets, HWLOC_OBJ_PACKAGE},
    {INVENTORY_cores, HWLOC_OBJ_CORE},
    {INVENTORY_hardware_threads, HWLOC_OBJ_PU},
    {INVENTORY_numa_nodes, HWLOC_OBJ_NUMANODE},
};
enum { N_COUNTED = sizeof counted / sizeof counted[0] };

static void count_objects(hwloc_topology_t t, struct record_fact *inventory)
{
    double l3 = 0;

    for (size_t i = 0; i < N_COUNTED; i++) {
        int n = hwloc_get_nbobjs_by_type(t, counted[i].type);
        if (n > 0)
            record_fact_number(&inventory[counted[i].id], n);
    }
    for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_L3CACHE, o));)
        l3 += (double)o->attr->cache.size;
    if (l3 > 0)
        record_fact_number(&inventory[INVENTORY_l3_bytes], l3);
}

/* The variable that gives hwloc another system than this one to describe;
 * HWLOC_THISSYSTEM can make it call that this one. NULL: none. */
static const char *told_topology(void)
{
    static const char *const names[] = {"HWLOC_SYNTHETIC", "HWLOC_XMLFILE", "HWLOC_FSROOT",
                                        "HWLOC_CPUID_PATH"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value && strcmp(value, "/") != 0)
            return names[i];
    }
    return NULL;
}

static void topology_unknown(struct record_fact *inventory, const char *told)
{
    char why[96];

    snprintf(why, sizeof why, "hwloc describes another system than this one%s%s",
             told ? ", as it is told by " : "", told ? told : "");
    for (size_t i = 0; i < N_COUNTED; i++)
        record_fact_unknown(&inventory[counted[i].id], why);
    record_fact_unknown(&inventory[INVENTORY_l3_bytes], why);
}

static void topology(struct record_fact *inventory)
{
    hwloc_topology_t t;
    const char *told = told_topology();

    if (hwloc_topology_init(&t) != 0)
        return;
    /* The machine, not the part that this job may use. */
    hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(t) == 0) {
        if (told || !hwloc_topology_is_thissystem(t))
            topology_unknown(inventory, told);
        else
            count_objects(t, inventory);
    }
    hwloc_topology_destroy(t);
}
#else
static void topology(struct record_fact *inventory)
{
    record_fact_number(&inventory[INVENTORY_hardware_threads],
                       (double)sysconf(_SC_NPROCESSORS_CONF));
}
#endif

static void memory(struct record_fact *inventory)
{
    char text[4096], value[64];

    textfile_read("/proc/meminfo", text, sizeof text);
    if (textfile_value(text, "MemTotal", value, sizeof value) == 0)
        record_fact_number(&inventory[INVENTORY_memory_bytes], atof(value) * 1024);
}

static void board(struct record_fact *f)
{
    char vendor[64], name[64], text[TEXT];

    textfile_read("/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor);
    textfile_read("/sys/class/dmi/id/product_name", name, sizeof name);
    snprintf(text, sizeof text, "%s%s%s", vendor, vendor[0] && name[0] ? " " : "", name);
    if (text[0])
        record_fact_text(f, text);
    else
        record_fact_unknown(f, "the firmware does not name the machine");
}

/* Device of the route that has no destination of its own. */
static void network(struct record_fact *inventory)
{
    char text[8192], device[32] = "", path[96], speed[32];

    textfile_read("/proc/net/route", text, sizeof text);
    for (char *line = strchr(text, '\n'); line && *++line; line = strchr(line, '\n')) {
        char name[32], destination[16];
        if (sscanf(line, "%31s %15s", name, destination) == 2 &&
            (!device[0] || strcmp(destination, "00000000") == 0))
            memcpy(device, name, sizeof device);
    }
    if (!device[0]) {
        record_fact_unknown(&inventory[INVENTORY_network_device], "no device has a route");
        record_fact_unknown(&inventory[INVENTORY_network_mbit_per_second], "no device has a route");
        return;
    }
    record_fact_text(&inventory[INVENTORY_network_device], device);
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", device);
    if (textfile_read(path, speed, sizeof speed) == 0 && atof(speed) > 0)
        record_fact_number(&inventory[INVENTORY_network_mbit_per_second], atof(speed));
    else
        record_fact_unknown(&inventory[INVENTORY_network_mbit_per_second],
                            "the device does not say its rate");
}

/* The site's word for the class, else processor + network + board. */
static void name_class(struct record_node *node)
{
    static const enum record_inventory_id parts[] = {INVENTORY_cpu_model, INVENTORY_network_device,
                                                     INVENTORY_board};
    const char *said = getenv("HPCAI500_NODE_CLASS");
    size_t at = 0;

    snprintf(node->class_name, TEXT, "%s", said ? said : "");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !(said && *said); i++) {
        const struct record_fact *f = &node->inventory[parts[i]];
        if (f->state == FACT_TEXT && at < TEXT)
            at += (size_t)snprintf(node->class_name + at, TEXT - at, "%s%s", at ? " + " : "",
                                   f->text);
    }
}

void system_node(struct record_node *node, const char *name)
{
    struct record_fact *inventory = node->inventory;
    struct stat st;

    memset(node, 0, sizeof *node);
    snprintf(node->name, sizeof node->name, "%s", name);
    gethostname(node->host, sizeof node->host - 1);
    snprintf(node->build_id, sizeof node->build_id, "%s", HPCAI500_BUILD_ID);
    const char *test = getenv("HPCAI500_TEST_BUILD_ID");
    if (test && *test)
        snprintf(node->build_id, sizeof node->build_id, "%s", test);
    node->plugin_remote = getenv("HPCAI500_PLUGIN") != NULL;
    for (int i = 0; i < INVENTORY_COUNT; i++)
        record_fact_unknown(&inventory[i], "neither hwloc nor /proc says it");
    from_cpuinfo(inventory);
    topology(inventory);
    memory(inventory);
    board(&inventory[INVENTORY_board]);
    from_file(&inventory[INVENTORY_firmware], "/sys/class/dmi/id/bios_version",
              "the firmware does not say its release");
    from_file(&inventory[INVENTORY_clock_source],
              "/sys/devices/system/clocksource/clocksource0/current_clocksource",
              "the kernel does not name its clock source");
    from_file(&inventory[INVENTORY_governor],
              "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
              "the kernel shows no frequency governor");
    network(inventory);
    if (stat("/proc/driver/nvidia/gpus", &st) != 0 && stat("/dev/kfd", &st) != 0)
        record_fact_number(&inventory[INVENTORY_accelerators], 0);
    else
        record_fact_unknown(&inventory[INVENTORY_accelerators],
                            "a driver is there, but this release counts none");
    record_fact_unknown(&inventory[INVENTORY_accelerator_model], "none is in use");
    name_class(node);
}
