#include "core/vault/Vault.h"
