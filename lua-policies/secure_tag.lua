return { name = "secure_tag", doc = "x", hooks = { message = function() return pass() end } }
