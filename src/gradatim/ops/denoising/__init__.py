"""Pure functions about noise: how near a picture is to the clean one."""
