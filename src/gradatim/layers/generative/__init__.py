"""Parts of networks that know how probable a row is, or draw new rows."""
