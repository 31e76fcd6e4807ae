#pragma once
#include "cmake/Precompiled.h"

#include <boost/test/unit_test.hpp>
