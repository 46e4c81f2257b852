# WEFT_MPI=openmpi, mpich or none; left empty, Open MPI where it is found and none elsewhere.
# Sets WEFT_CONNECT_SOURCE (which of the two files that implement comm/connect.h is built),
# WEFT_MPI_TARGET (what it links) and WEFT_MPI_LAUNCHER (the mpirun that belongs to the library).
#
# Debian installs both libraries side by side and names their tools mpicxx.openmpi and mpicxx.mpich;
# elsewhere a library that is asked for is the one whose mpicxx comes first.

set(wanted "${WEFT_MPI}")
if(wanted STREQUAL "")
  find_program(WEFT_OPENMPI_COMPILER mpicxx.openmpi)
  set(wanted none)
  if(WEFT_OPENMPI_COMPILER)
    set(wanted openmpi)
  endif()
endif()

if(wanted STREQUAL "openmpi" OR wanted STREQUAL "mpich")
  find_program(WEFT_${wanted}_COMPILER NAMES mpicxx.${wanted} mpicxx)
  find_program(WEFT_${wanted}_LAUNCHER NAMES mpirun.${wanted} mpirun)
  set(MPI_CXX_COMPILER ${WEFT_${wanted}_COMPILER})
  set(MPI_CXX_SKIP_MPICXX TRUE)  # the C++ bindings that MPI 3 removed
  find_package(MPI REQUIRED COMPONENTS CXX)
  set(WEFT_MPI_TARGET MPI::MPI_CXX)
  set(WEFT_MPI_LAUNCHER ${WEFT_${wanted}_LAUNCHER})
  set(WEFT_CONNECT_SOURCE mpi.cc)
elseif(wanted STREQUAL "none")
  set(WEFT_MPI_TARGET "")
  set(WEFT_MPI_LAUNCHER "")
  set(WEFT_CONNECT_SOURCE without_mpi.cc)
else()
  message(FATAL_ERROR "WEFT_MPI is '${WEFT_MPI}': use openmpi, mpich or none")
endif()
message(STATUS "MPI: ${wanted} ${MPI_CXX_VERSION}")
