module github.com/coilsight/coilsight

go 1.26
