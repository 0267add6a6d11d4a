# SAM runs make in this folder when the template says Architecture: x86_64. See build-% in the Makefile.
GOARCH = amd64
