"""Parts of translators: texts that are kept, tables of words, networks that read and write."""
