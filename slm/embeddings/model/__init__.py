"""The files of all-MiniLM-L6-v2 in Palimpsest's form; NOTICE says where they come from."""
