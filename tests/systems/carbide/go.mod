module github.com/nvidia/carbide-rest

go 1.25.1

require github.com/nvidia/carbide-protos v0.4.0
