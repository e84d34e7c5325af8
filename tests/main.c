// The tests of the library as users build it. One translation unit, so that tests see the private
// functions of r1.h. A new file tests/test_*.c gets a line in the list below.
#define R1_IMPLEMENTATION
// Lets tests of files say which system call fails.
static int test_fault(const char *call);
#define TEST_FAULTS
#define R1I_FAULT(call) test_fault(call)
// Only a power cut could show what a sync is good for, and hundreds of saves would wait for it.
#define fsync test_fsync
#include "../r1.h"
#include "test.h"
int test_fsync(int file) { return file < 0 ? -1 : 0; }

#include "test_base.c"
#include "test_number.c"
#include "test_simd.c"
#include "test_ops.c"
#include "test_golden.c"
#include "test_mtp.c"
#include "test_json.c"
#include "test_file.c"
#include "test_log.c"
#include "test_tokenizer.c"
#include "test_model.c"
#include "test_load.c"
#include "test_architectures.c"
#include "test_answer.c"
#include "test_judge.c"
#include "test_reward.c"
#include "test_score.c"
#include "test_report.c"
#include "test_generate.c"
#include "test_policy.c"
#include "test_train.c"
#include "test_plan.c"
#include "test_faults.c"
#include "test_demo.c"
#include "test_tools.c"
#include "test_faults_io.c"
