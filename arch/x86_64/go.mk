# SAM runs make in this folder if the parameter Architecture is x86_64. See build-% in the Makefile.
GOARCH = amd64
