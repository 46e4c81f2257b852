// Moved: see base/json.h.
#pragma once

#include "base/json.h"
